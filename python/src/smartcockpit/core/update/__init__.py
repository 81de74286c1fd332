# SPDX-License-Identifier: Apache-2.0
"""The update of this unit as pure logic: what the server says, what may be done next, what is told.

No I/O and no clock of its own. `state` holds what survives a power cut, `steps` how it changes, `decide` what
is done next.
"""
