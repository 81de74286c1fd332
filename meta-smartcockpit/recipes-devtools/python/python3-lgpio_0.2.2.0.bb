# SPDX-License-Identifier: Apache-2.0
SUMMARY = "GPIO character devices from Python"
DESCRIPTION = "The C library lgpio and its Python module in one extension; gpiozero's way to the lines."
SECTION = "devel/python"
LICENSE = "Unlicense"
LIC_FILES_CHKSUM = "file://LICENSE;md5=61287f92700ec1bdf13bc86d8228cd13"

DEPENDS = "swig-native"

SRC_URI[sha256sum] = "11372e653b200f76a0b3ef8a23a0735c85ec678a9f8550b9893151ed0f863fff"

inherit pypi setuptools3

# Its setup.py links the C library in when it is told that it builds for the package index.
export PYPI = "1"

RDEPENDS:${PN} = "python3-core python3-io"
