# SPDX-License-Identifier: Apache-2.0
# smartcockpit-vehicle reads DBC files with cantools while the image is built.
BBCLASSEXTEND += "native"
