# SPDX-License-Identifier: Apache-2.0
"""One file per outside thing: CAN interfaces, kernel netlink, compiled tables, the C library."""
