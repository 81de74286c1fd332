# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Reader of tags in music files, pure Python"
DESCRIPTION = "Reads title, artist, album and length of MP3, MP4, FLAC, Ogg, Opus, WMA, WAV and AIFF files."
SECTION = "devel/python"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=10484ba6e601ff58e4c1dcef1f4f59db"

SRC_URI[sha256sum] = "021d711cdbdbf840d3b67b976cb34dadc58d2fcfd490eb74ef9602b37b991414"

inherit pypi python_flit_core
