# SPDX-License-Identifier: Apache-2.0
"""What every daemon shares: configuration, logging, service-manager notification, start and stop."""
