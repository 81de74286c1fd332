# SPDX-License-Identifier: Apache-2.0
"""Long series of faults against the box, each case known by its class and seed."""
