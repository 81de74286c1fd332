# SPDX-License-Identifier: Apache-2.0
"""Pure domain: signals, decode plan, states. No I/O, no clock but a passed-in one, standard library only."""
