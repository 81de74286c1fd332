# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Daemons and tools of the SmartCockpit image: vehicle signals on D-Bus"
SUMMARY:${PN}-vehicle = "Compiler of SmartCockpit vehicle folders (DBC, VSS mapping)"
DESCRIPTION = "Packages the repository that this layer lives in. `make install` copies the files, here and in the \
               QEMU image alike; this recipe only hands it the target's folders and sorts the result into packages."
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"
CVE_PRODUCT = "smartcockpit"

# The compiler of vehicle folders runs on the build machine (see the .bbappends in recipes-devtools/python).
DEPENDS = "python3-cantools-native python3-pyyaml-native"

PV = "${SMARTCOCKPIT_VERSION}"

# The one recipe whose sources are the layer's own repository.
# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${SMARTCOCKPIT_SOURCE}:"
# Only what is packaged, so that a test or a page changed rebuilds nothing.
SRC_URI = "file://LICENSE \
           file://Makefile \
           file://dbc \
           file://docs/completion \
           file://docs/man \
           file://python/install_wheel.py \
           file://python/pyproject.toml \
           file://python/src/smartcockpit \
           file://systemd"
S = "${UNPACKDIR}"

inherit python_setuptools_build_meta systemd useradd

PEP517_SOURCE_PATH = "${S}/python"

do_install() {
    oe_runmake -C ${S} install \
        DESTDIR=${D} \
        PREFIX=${prefix} \
        LIBDIR=${nonarch_libdir} \
        SITE=${PYTHON_SITEPACKAGES_DIR} \
        INTERPRETER=${bindir}/python3 \
        PYTHON=${PYTHON} \
        WHEEL="$(echo ${PEP517_WHEEL_PATH}/*.whl)"
    # systemd-tmpfiles cannot make it on a read-only root.
    install -d ${D}${sysconfdir}/smartcockpit
}

PACKAGES =+ "${PN}-vehicle"

# nooelint: oelint.var.filesoverride
FILES:${PN}-vehicle = "${PYTHON_SITEPACKAGES_DIR}/smartcockpit/vehicle ${bindir}/smartcockpit-vehicle"
FILES:${PN} += "${datadir}/bash-completion \
                ${datadir}/dbus-1 \
                ${nonarch_libdir}/smartcockpit \
                ${nonarch_libdir}/sysctl.d \
                ${nonarch_libdir}/sysusers.d \
                ${nonarch_libdir}/tmpfiles.d \
                ${systemd_unitdir}"

# The python3-* words are held against our imports by tests/repo/test_layer_rdepends.py. iproute2: busybox's `ip`
# knows no CAN, and can-restart brings controllers back with it.
RDEPENDS:${PN} = "iproute2-ip \
                  python3-asyncio \
                  python3-core \
                  python3-ctypes \
                  python3-dbus-next \
                  python3-difflib \
                  python3-io \
                  python3-json \
                  python3-logging \
                  python3-numbers \
                  python3-tomllib"
RDEPENDS:${PN}-vehicle = "${PN} \
                          python3-cantools \
                          python3-core \
                          python3-crypt \
                          python3-io \
                          python3-json \
                          python3-numbers \
                          python3-pyyaml \
                          python3-tomllib"
# An owner may bring a vehicle folder to a running image.
RRECOMMENDS:${PN} = "${PN}-vehicle"
# CAN interfaces other than SocketCAN.
RSUGGESTS:${PN} = "python3-can"

# The same as in systemd/system-preset, which a test compares.
SYSTEMD_SERVICE:${PN} = "smartcockpit.target smartcockpit-canbridge.service smartcockpit-can-restart.path \
                         smartcockpit-health.service smartcockpit-health-early.service \
                         smartcockpit-health-deadline.timer smartcockpit-health-reboot.path"

# The same as in systemd/sysusers.d, ids included (files/smartcockpit-passwd and -group), which a test compares.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system smartcockpit"
SMARTCOCKPIT_USER = "--system --no-create-home --home-dir / --shell ${sbindir}/nologin --user-group"
USERADD_PARAM:${PN} = "${SMARTCOCKPIT_USER} smartcockpit-canbridge ; \
                       ${SMARTCOCKPIT_USER} smartcockpit-ota ; \
                       ${SMARTCOCKPIT_USER} smartcockpit-health"
