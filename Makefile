# SPDX-License-Identifier: Apache-2.0
# SmartCockpit. `make` alone lists what can be made.

ARCH    ?= amd64
FLAVOUR ?= dev
DRIVE   ?=
VEHICLE ?=
VERSION ?=
NOTES   ?=
CERT    ?=
KEY     ?=
ARGS    ?=

# make install: where things go. The Yocto recipe and the image of the box set the same variables.
DESTDIR  ?=
PREFIX   ?= /usr
LIBDIR   ?= $(PREFIX)/lib
SITE     ?= $(LIBDIR)/python3/dist-packages
INTERPRETER ?= $(PREFIX)/bin/python3
BYTECODE ?= yes
PACK     ?= $(BYTECODE)
WHEEL    ?= $(wheel)
NATIVE   ?= yes
CFLAGS   ?= -O2
VEHICLES ?= $(patsubst dbc/%/vehicle.toml,%,$(wildcard dbc/*/vehicle.toml))

venv     := .venv
PYTHON   ?= $(venv)/bin/python
sudo     := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=MIRROR,RELEASE_CA)
ready    := $(venv)/.ready-$(ARCH)
wheel     = build/wheel/smartcockpit.whl
native   := build/native/$(or $(shell $(CC) -dumpmachine 2>/dev/null),none)/libcanreceive.so
daemons  := $(shell sed -n 's/^smartcockpit-\([a-z]*\) = "smartcockpit\.daemons\..*/\1/p' python/pyproject.toml)
packaged := $(shell find python/src/smartcockpit python/pyproject.toml -type f ! -name '*.pyc' 2>/dev/null)

export MIRROR DRIVE VEHICLE VERSION NOTES CERT KEY RELEASE_CA

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run named-inputs image bundle update-demo shell test check test-fast test-system test-py314 hawkbit-test campaign \
    perf generate lock native install install-python install-system install-vehicles install-native install-chimes clean FORCE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo "  ARCH=amd64|arm64  FLAVOUR=dev|release  DRIVE=log  VEHICLE=folder  ARGS='--for 30s --json'  MIRROR=url"

# ---- the box ----------------------------------------------------------------------------------------------

run: named-inputs image ## build what has changed, boot the box, show the car live (Ctrl-C ends it)
	@$(PYTHON) -m smartcockpit_bench.run --arch $(ARCH) --flavour $(FLAVOUR) \
	    $${DRIVE:+--drive "$$DRIVE"} $${VEHICLE:+--vehicle "$$VEHICLE"} $(ARGS)

# Looked for before minutes are spent on the image.
named-inputs:
	@for name in "$$DRIVE" "$$VEHICLE"; do \
	    test -z "$$name" || test -e "$$name" || \
	        { echo "make run: there is no $$name. Hint: DRIVE= names a log file, VEHICLE= a folder" >&2; exit 2; }; \
	done

image: $(ready) $(wheel) ## build the disk image, unless it is current
	@$(sudo) $(PYTHON) -m smartcockpit_bench.image --arch $(ARCH) --flavour $(FLAVOUR) --wheel $(wheel)

update-demo: image ## the running box gets a new version from a local server, then a broken one that falls back
	@$(PYTHON) -m smartcockpit_bench.update_demo

bundle: image ## a signed update of this tree in build/bundle (VERSION=1.4.0 NOTES=file CERT= KEY=)
	@$(PYTHON) -m smartcockpit_bench.bundle --arch $(ARCH) --flavour $(FLAVOUR) $${VERSION:+--version "$$VERSION"} \
	    $${NOTES:+--notes "$$NOTES"} $${CERT:+--cert "$$CERT"} $${KEY:+--key "$$KEY"} $(ARGS)

shell: $(ready) ## a root shell in the running box (dev flavour)
	@$(PYTHON) -m smartcockpit_bench.shell $(ARGS)

# ---- the developer's machine ------------------------------------------------------------------------------

setup: $(ready) ## install what is needed: Debian packages, and Python packages into .venv

$(ready): python/requirements.lock bench/host-packages.list python/src/smartcockpit_bench/setup.py
	@python3 python/src/smartcockpit_bench/setup.py --arch $(ARCH)
	@touch $@

clean: ## remove what was built; the downloads in build/cache stay
	@$(sudo) rm -rf build/image build/wheel build/native

# ---- proof ------------------------------------------------------------------------------------------------

test: check test-fast test-system ## set up, then every check and every test

check: $(ready) $(native) ## format, lint, types, import rules, spelling, shell scripts, recipes
	@$(venv)/bin/ruff format --quiet --check --config python/pyproject.toml python tests
	@$(venv)/bin/ruff check --quiet --config python/pyproject.toml python tests
	@cd python && ../$(venv)/bin/mypy
	@cd python && said=$$(PYTHONPATH=src ../$(venv)/bin/lint-imports --no-cache) || { echo "$$said"; exit 1; }
	@$(venv)/bin/codespell --toml python/pyproject.toml $(spelled)
	@shellcheck $(shell_scripts)
	@cd meta-smartcockpit && ../$(venv)/bin/oelint-adv --quiet --relpaths $(recipes)
	@echo "check: all good"

spelled = README.md CHANGELOG.md SECURITY.md docs bench systemd dbc meta-smartcockpit python/native python/src tests kas.yml Makefile
recipes = $(shell cd meta-smartcockpit && find . -name '*.bb' -o -name '*.bbappend' -o -name '*.inc' -o -name '*.conf' | cut -c3- | sort)
shell_scripts = .ci/run $(shell git ls-files --cached --others --exclude-standard bench systemd | grep -v '"' | xargs -d '\n' grep -slE '^\#!.*\b(sh|bash)\b' --)

test-fast: $(ready) $(native) ## unit, component, contract and repository tests: no QEMU
	@$(PYTHON) -m pytest -q -n $$((2 * $$(nproc))) --dist worksteal tests/unit tests/component tests/contract tests/repo $(ARGS)

test-system: image ## boot the image and test what a user would see
	@$(PYTHON) -m pytest -v tests/system $(ARGS)

hawkbit-test: $(ready) ## the update agent's conversation with a real Eclipse hawkBit (Java 17, HAWKBIT_JAR=)
	@$(PYTHON) -m smartcockpit_bench.hawkbit.jar
	@$(PYTHON) -m pytest -v tests/hawkbit $(ARGS)

test-py314: $(ready) ## unit tests with the Python of the Yocto release, from Debian testing
	@$(sudo) $(PYTHON) -m smartcockpit_bench.newer_python -n $$(nproc) $(ARGS)

campaign: image ## power cuts at random moments of an update (ARGS='--cases 300 --seed 1'); goes on where it stopped
	@$(PYTHON) -m smartcockpit_bench.campaign $(ARGS)

perf: $(ready) $(native) ## benchmarks, each beside its peer
	@missed=; for bench in tests/perf/bench_*.py; do \
	    PYTHONPATH=python/src:tests $(PYTHON) $$bench $(ARGS) || missed="$$missed $$bench"; \
	done; test -z "$$missed" || { echo "perf: a target is missed in$$missed" >&2; exit 1; }

# ---- what is derived --------------------------------------------------------------------------------------

generate: $(ready) ## write what is derived: D-Bus XML, signal tables, default settings, reference pages, completion, man page
	@$(PYTHON) -m smartcockpit.bus.xml systemd/dbus-1/interfaces
	@$(PYTHON) -m smartcockpit_bench.signal_tables
	@set -e; for daemon in $(daemons); do \
	    $(PYTHON) -m smartcockpit.runtime.settings_doc toml $$daemon > systemd/config/$$daemon.toml; \
	done
	@$(PYTHON) -m smartcockpit.runtime.settings_doc markdown $(daemons) > docs/reference/settings.md
	@$(PYTHON) -m smartcockpit_bench.interface_page > docs/reference/dbus.md
	@$(PYTHON) -m smartcockpit_bench.cli_docs

lock: $(ready) ## resolve python/requirements.in into the hash-locked file
	@$(venv)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	    --no-header --quiet python/requirements.in -o python/requirements.lock

# ---- the installed system: one way in, for the box and for Yocto -------------------------------------------

# Built from a copy, so that nothing stale from an earlier build gets into it, and put in place whole: another
# make may be at work with the one that is there.
$(wheel): $(packaged) | $(ready)
	@mkdir -p build/wheel; work=$$(mktemp -d build/wheel/work.XXXXXX); \
	trap 'rm -rf "$$work"' EXIT; trap 'exit 130' INT TERM; \
	cp -r python/pyproject.toml python/src "$$work" && \
	$(PYTHON) -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation \
	    --wheel-dir "$$work/done" "$$work" && \
	whole=$$(basename "$$work"/done/smartcockpit-*.whl) && \
	mv "$$work/done/$$whole" build/wheel/ && ln -sfn "$$whole" $@

# The C library that receives and decodes CAN frames; without it (NATIVE=no) Python does. CC, CFLAGS and LDFLAGS are
# the builder's, what keeps hostile bytes at bay is ours.
native_flags = -std=gnu11 -fPIC -fvisibility=hidden -Wall -Wextra -Werror \
    -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2

native: $(native) ## build the C library, say where it is
	@echo $(native)

$(native): $(wildcard python/native/*.[ch]) Makefile
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(native_flags) $(LDFLAGS) -shared -Wl,-z,relro,-z,now $(filter %.c,$^) -o $@.$$$$ && \
	    mv $@.$$$$ $@

install: install-python install-system install-vehicles install-chimes $(if $(filter yes,$(NATIVE)),install-native)
install: ## install into DESTDIR (PREFIX, SITE, WHEEL, PYTHON, CC, NATIVE=no, BYTECODE=no, PACK=no)
ifeq ($(BYTECODE),yes)
	umask 022; $(PYTHON) -m compileall -q -f --invalidation-mode unchecked-hash -s '$(DESTDIR)' -p / \
	    '$(DESTDIR)$(SITE)/smartcockpit' '$(DESTDIR)$(LIBDIR)/smartcockpit'
endif
ifeq ($(PACK),yes)
	$(PYTHON) -SPE '$(DESTDIR)$(SITE)/smartcockpit/runtime/module_pack_writer.py' --destdir '$(DESTDIR)' --site '$(SITE)'
endif

# umask: a system is there for all its users, whoever installs it.
install-python: $(WHEEL)
	umask 022; $(PYTHON) python/install_wheel.py "$$(readlink -f '$(WHEEL)')" --destdir='$(DESTDIR)' --prefix='$(PREFIX)' --site='$(SITE)' \
	    --interpreter='$(INTERPRETER)'

install-native: $(native)
	@install -D -m 0755 $(native) '$(DESTDIR)$(LIBDIR)/smartcockpit/libcanreceive.so'

# Folder in the checkout = folder in the system. A folder that does not exist is nothing to install.
install_trees = \
    systemd/system:$(LIBDIR)/systemd/system \
    systemd/system.conf.d:$(LIBDIR)/systemd/system.conf.d \
    systemd/network:$(LIBDIR)/systemd/network \
    systemd/catalog:$(LIBDIR)/systemd/catalog \
    systemd/sysusers.d:$(LIBDIR)/sysusers.d \
    systemd/sysctl.d:$(LIBDIR)/sysctl.d \
    systemd/system-preset:$(LIBDIR)/systemd/system-preset \
    systemd/libexec:$(LIBDIR)/smartcockpit \
    systemd/tmpfiles.d:$(LIBDIR)/tmpfiles.d \
    systemd/udev:$(LIBDIR)/udev/rules.d \
    systemd/sound:$(PREFIX)/share/smartcockpit/sound \
    systemd/chrony:$(PREFIX)/share/smartcockpit/chrony \
    systemd/dbus-1:$(PREFIX)/share/dbus-1 \
    systemd/config:$(PREFIX)/share/smartcockpit \
    docs/man:$(PREFIX)/share/man/man1 \
    docs/completion/bash:$(PREFIX)/share/bash-completion/completions

install-system:
	@set -e; umask 022; for pair in $(install_trees); do \
	    from=$${pair%%:*} to='$(DESTDIR)'$${pair#*:}; \
	    test -d "$$from" || continue; \
	    (cd "$$from" && find . -type f ! -name '*.md' ! -name '.*') | while read -r file; do \
	        install -D -m 0644 "$$from/$$file" "$$to/$${file#./}"; \
	    done; \
	done

install-chimes:
	@umask 022; PYTHONPATH=python/src $(PYTHON) -m smartcockpit.adapters.chime_files '$(DESTDIR)$(PREFIX)/share/smartcockpit/chimes'

install-vehicles: install-python
	@set -e; umask 022; for folder in dbc/vss $(VEHICLES:%=dbc/%); do \
	    test -d "$$folder" || continue; \
	    case $$folder in dbc/vss) to=vss ;; *) to=vehicles/$${folder#dbc/} ;; esac; \
	    (cd "$$folder" && find . -type f ! -name '.*') | while read -r file; do \
	        install -D -m 0644 "$$folder/$$file" '$(DESTDIR)$(PREFIX)/share/smartcockpit/'"$$to/$${file#./}"; \
	    done; \
	done
	@set -e; umask 022; for vehicle in $(VEHICLES); do \
	    mkdir -p '$(DESTDIR)$(LIBDIR)/smartcockpit/vehicles'; \
	    PYTHONPATH=python/src $(PYTHON) -m smartcockpit.vehicle compile "dbc/$$vehicle" \
	        -o "$(DESTDIR)$(LIBDIR)/smartcockpit/vehicles/$$vehicle.py"; \
	done
