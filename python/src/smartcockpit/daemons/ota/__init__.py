# SPDX-License-Identifier: Apache-2.0
"""Updates of this unit from a hawkBit server or a file, told as they truly are."""
