# SPDX-License-Identifier: Apache-2.0
"""The typed D-Bus interface classes: the one truth that XML, clients and services derive from."""
