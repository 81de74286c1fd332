# SPDX-License-Identifier: Apache-2.0
"""Roles, focus, volumes, chimes and prompts; the music player's face on D-Bus."""
