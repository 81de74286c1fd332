# SPDX-License-Identifier: Apache-2.0
"""What runs inside the box on behalf of the bench: standard library only, one file each, copied as is."""
