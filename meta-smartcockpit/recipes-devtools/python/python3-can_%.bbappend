# SPDX-License-Identifier: Apache-2.0
# python3-cantools-native imports it.
BBCLASSEXTEND += "native"
