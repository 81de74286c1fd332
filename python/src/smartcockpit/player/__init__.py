# SPDX-License-Identifier: Apache-2.0
"""The music player: a process of its own that plays what the audio daemon tells it.

It takes apart files and streams from anywhere, so it shares nothing with the daemon but a socket; it can be
killed at any time. The only package that uses GStreamer, SQLite and the tag reader.
"""
