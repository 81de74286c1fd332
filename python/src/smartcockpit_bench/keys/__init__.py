# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities and signers of update bundles. Keys are made below `build/` and stay there."""
