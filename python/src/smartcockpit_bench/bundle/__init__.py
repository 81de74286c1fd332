# SPDX-License-Identifier: Apache-2.0
"""Builds signed update bundles from a finished image."""
