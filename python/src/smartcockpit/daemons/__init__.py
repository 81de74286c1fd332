# SPDX-License-Identifier: Apache-2.0
"""One package per daemon; each wires core, adapters and bus together and imports no other daemon."""
