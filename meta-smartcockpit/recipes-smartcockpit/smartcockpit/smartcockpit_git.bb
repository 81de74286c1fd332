# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Daemons and tools of the SmartCockpit image: vehicle signals on D-Bus"
SUMMARY:${PN}-player = "Music player of SmartCockpit"
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
           file://python/native \
           file://python/pyproject.toml \
           file://python/src/smartcockpit \
           file://systemd"
SRC_URI:append = "${@bb.utils.contains('PTEST_ENABLED', '1', ' file://run-ptest file://tests', '', d)}"
S = "${UNPACKDIR}"

inherit ptest python_setuptools_build_meta systemd useradd

PEP517_SOURCE_PATH = "${S}/python"

do_compile:append() {
    oe_runmake -C ${S} native
}

# PACK=no: the module pack knows files by size and time, and the image gives all files one time when it is put
# together (docs/decisions/0020).
do_install() {
    oe_runmake -C ${S} install \
        DESTDIR=${D} \
        PREFIX=${prefix} \
        LIBDIR=${nonarch_libdir} \
        SITE=${PYTHON_SITEPACKAGES_DIR} \
        INTERPRETER=${bindir}/python3 \
        PYTHON=${PYTHON} \
        PACK=no \
        WHEEL="$(echo ${PEP517_WHEEL_PATH}/*.whl)"
    # systemd-tmpfiles cannot make it on a read-only root.
    install -d ${D}${sysconfdir}/smartcockpit
}

# The unit tests, without those that hold the repository against itself. Off unless asked for: kas/test.yml.
do_install_ptest() {
    cp -r ${S}/tests/support ${S}/tests/unit ${D}${PTEST_PATH}
    rm -r ${D}${PTEST_PATH}/unit/bench
    # What needs the checkout, and what imports that.
    grep -rlZE 'smartcockpit_bench|parents\[|support\.(native|vehicles)' ${D}${PTEST_PATH} | xargs -0 rm
}

PACKAGES =+ "${PN}-player ${PN}-vehicle"

# nooelint: oelint.var.filesoverride
FILES:${PN}-player = "${PYTHON_SITEPACKAGES_DIR}/smartcockpit/player ${bindir}/smartcockpit-player \
                      ${nonarch_libdir}/systemd/system/smartcockpit-player.service*"
# nooelint: oelint.var.filesoverride
FILES:${PN}-vehicle = "${PYTHON_SITEPACKAGES_DIR}/smartcockpit/vehicle ${bindir}/smartcockpit-vehicle"
FILES:${PN} += "${datadir}/bash-completion \
                ${datadir}/dbus-1 \
                ${nonarch_libdir}/smartcockpit \
                ${nonarch_libdir}/sysctl.d \
                ${nonarch_libdir}/sysusers.d \
                ${nonarch_libdir}/tmpfiles.d \
                ${nonarch_libdir}/udev \
                ${systemd_unitdir}"

# The python3-* words are held against our imports by tests/repo/test_layer_rdepends.py. iproute2: busybox's `ip`
# knows no CAN, and can-restart brings controllers back with it.
RDEPENDS:${PN} = "flite \
                  iproute2-ip \
                  pipewire \
                  pipewire-pulse \
                  python3-asyncio \
                  python3-audio \
                  python3-core \
                  python3-crypt \
                  python3-ctypes \
                  python3-dbus-next \
                  python3-difflib \
                  python3-gpiozero \
                  python3-io \
                  python3-json \
                  python3-lgpio \
                  python3-logging \
                  python3-math \
                  python3-netclient \
                  python3-numbers \
                  python3-pyserial \
                  python3-tomllib \
                  wireplumber"
# Decoders come as one package per GStreamer plug-in.
RDEPENDS:${PN}-player = "${PN} \
                         gstreamer1.0 \
                         gstreamer1.0-plugins-base-meta \
                         gstreamer1.0-plugins-good-meta \
                         python3-core \
                         python3-crypt \
                         python3-io \
                         python3-logging \
                         python3-netclient \
                         python3-pygobject \
                         python3-resource \
                         python3-sqlite3 \
                         python3-tinytag"
RDEPENDS:${PN}-vehicle = "${PN} \
                          python3-cantools \
                          python3-core \
                          python3-crypt \
                          python3-io \
                          python3-json \
                          python3-numbers \
                          python3-pyyaml \
                          python3-tomllib"
RDEPENDS:${PN}-ptest = "${PN}-player \
                        ${PN}-vehicle \
                        dbus \
                        python3-can \
                        python3-hypothesis \
                        python3-modules \
                        python3-pytest \
                        python3-pytest-asyncio \
                        python3-pytest-timeout \
                        python3-unittest-automake-output"
# An owner may bring a vehicle folder to a running image.
RRECOMMENDS:${PN} = "${PN}-player ${PN}-vehicle"
# CAN interfaces other than SocketCAN.
RSUGGESTS:${PN} = "python3-can"

# The same as in systemd/system-preset, which a test compares.
SYSTEMD_PACKAGES = "${PN} ${PN}-player"
SYSTEMD_SERVICE:${PN} = "smartcockpit.target \
                         smartcockpit-audio.service \
                         smartcockpit-pipewire.service \
                         smartcockpit-pulse.service \
                         smartcockpit-wireplumber.service \
                         smartcockpit-canbridge.service \
                         smartcockpit-can-restart.path \
                         smartcockpit-gnss.service \
                         smartcockpit-health.service \
                         smartcockpit-health-early.service \
                         smartcockpit-health-deadline.timer \
                         smartcockpit-health-reboot.path \
                         smartcockpit-ota.service \
                         smartcockpit-ota-reboot.path \
                         smartcockpit-power.service \
                         smartcockpit-power-off.path"
SYSTEMD_SERVICE:${PN}-player = "smartcockpit-player.service"

# The same as in systemd/sysusers.d, ids included (files/smartcockpit-passwd and -group), which a test compares.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system smartcockpit"
NOBODY_HOME = "--system --no-create-home --home-dir / --shell ${sbindir}/nologin --user-group"
USERADD_PARAM:${PN} = "${NOBODY_HOME} smartcockpit-canbridge; \
                       ${NOBODY_HOME} smartcockpit-gnss; \
                       ${NOBODY_HOME} smartcockpit-audio; \
                       ${NOBODY_HOME} smartcockpit-power; \
                       ${NOBODY_HOME} smartcockpit-sound; \
                       ${NOBODY_HOME} smartcockpit-ota; \
                       ${NOBODY_HOME} smartcockpit-health; \
                       ${NOBODY_HOME} smartcockpit-player"
