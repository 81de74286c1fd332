# SPDX-License-Identifier: Apache-2.0
SUMMARY = "GPIO lines as buttons, lamps and relays"
DESCRIPTION = "The power daemon reads ignition, reverse and keys with it, over lgpio, on every board with a GPIO chip."
SECTION = "devel/python"
LICENSE = "BSD-3-Clause"
LIC_FILES_CHKSUM = "file://LICENSE.rst;md5=f7edfe7aeac02cb6c394726db07eb41c"

SRC_URI[sha256sum] = "745feab6df463ac2e9de10c67e2dd9f396e668ba4e281e92381d6c460100a8f7"

inherit pypi setuptools3

# importlib.metadata finds the pin factories: it is in python3-misc and itself imports email, json and zipfile.
RDEPENDS:${PN} = "python3-colorzero \
                  python3-compression \
                  python3-core \
                  python3-datetime \
                  python3-email \
                  python3-json \
                  python3-lgpio \
                  python3-math \
                  python3-misc \
                  python3-mmap \
                  python3-pprint \
                  python3-statistics \
                  python3-threading"
