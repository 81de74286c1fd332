# SPDX-License-Identifier: Apache-2.0
"""The only package that knows dbus-next: connection, interfaces, clients, errors."""
