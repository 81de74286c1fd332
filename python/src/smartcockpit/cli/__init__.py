# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl`, the command line on the target: a client of the daemons over D-Bus, nothing more."""
