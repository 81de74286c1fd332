# SPDX-License-Identifier: Apache-2.0
"""SmartCockpit: the daemons and tools that run on the target."""

__version__ = "0.1.0"
