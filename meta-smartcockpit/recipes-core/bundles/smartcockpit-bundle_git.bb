# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SmartCockpit"
DESCRIPTION = "The signed update of the release image, for hawkBit or a stick: *.raucb beside the image."
SECTION = "base"
LICENSE = "Apache-2.0"

PV = "${SMARTCOCKPIT_VERSION}"

# All of it comes from the image.
SRC_URI = ""

inherit bundle

# The same manifest as `make bundle` writes for the box.
RAUC_BUNDLE_COMPATIBLE = "smartcockpit-${MACHINE}"
RAUC_BUNDLE_VERSION = "${SMARTCOCKPIT_VERSION}"
RAUC_BUNDLE_FORMAT = "verity"
RAUC_BUNDLE_SLOTS = "rootfs"
RAUC_SLOT_rootfs = "smartcockpit-image"
RAUC_SLOT_rootfs[adaptive] = "block-hash-index"
RAUC_SLOT_rootfs[fstype] = "ext4"
# RAUC goes by the name: *.img is copied to a raw slot as it is.
RAUC_SLOT_rootfs[rename] = "rootfs.img"

# What the driver is told; another text: SMARTCOCKPIT_NOTE_PURPOSE and so on in a kas file (docs/how-to/release.md).
SMARTCOCKPIT_NOTE_PURPOSE ?= "A build of the current source tree."
SMARTCOCKPIT_NOTE_MINUTES ?= "10"
SMARTCOCKPIT_NOTE_PAUSES ?= "The cockpit restarts once; until then everything works."
RAUC_META_SECTIONS = "smartcockpit"
RAUC_META_smartcockpit[purpose] = "${SMARTCOCKPIT_NOTE_PURPOSE}"
RAUC_META_smartcockpit[minutes] = "${SMARTCOCKPIT_NOTE_MINUTES}"
RAUC_META_smartcockpit[pauses] = "${SMARTCOCKPIT_NOTE_PAUSES}"

# From outside the tree, never in it: PEM files by their whole path.
SMARTCOCKPIT_CERT ?= ""
SMARTCOCKPIT_KEY ?= ""
SMARTCOCKPIT_KEYRING ?= ""
RAUC_CERT_FILE = "${SMARTCOCKPIT_CERT}"
RAUC_KEY_FILE = "${SMARTCOCKPIT_KEY}"
# RAUC checks at once that the units will take what it has signed.
BUNDLE_ARGS += "--keyring=${SMARTCOCKPIT_KEYRING} --confopt=keyring:check-purpose=codesign"

# Refused while parsing, with a hint, and not after hours.
# nooelint: oelint.task.noanonpython
python () {
    for name in ("SMARTCOCKPIT_CERT", "SMARTCOCKPIT_KEY"):
        value = d.getVar(name)
        if not value:
            raise bb.parse.SkipRecipe("%s is not set: who signs the bundle (docs/how-to/release.md)" % name)
        if not os.path.isfile(value):
            raise bb.parse.SkipRecipe("%s = \"%s\": there is no such file. Hint: its whole path" % (name, value))
}
