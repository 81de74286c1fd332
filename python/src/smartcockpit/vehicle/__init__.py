# SPDX-License-Identifier: Apache-2.0
"""The vehicle compiler: DBC files, vspec mapping and vehicle.toml in, one table module out."""
