# SPDX-License-Identifier: Apache-2.0
"""`make bundle`: a signed update of the current tree, in `build/bundle/`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError, UsageError

from smartcockpit_bench.bundle.build import Order, Signer, build
from smartcockpit_bench.bundle.notes import read_notes
from smartcockpit_bench.image.identity import compatible
from smartcockpit_bench.keys import families
from smartcockpit_bench.places import ARCHITECTURES, BUILD, FLAVOURS, image_dir
from smartcockpit_bench.progress import step


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit codes as in `smartcockpit.core.errors`."""
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__)
    parser.add_argument("--arch", choices=ARCHITECTURES, default="amd64")
    parser.add_argument("--flavour", choices=FLAVOURS, default="dev")
    parser.add_argument("--version", default="", help="another version than that of the tree")
    parser.add_argument("--notes", type=Path, help="TOML file with what the driver is told")
    parser.add_argument("--cert", default="", help="PEM file or PKCS#11 address of the signing certificate")
    parser.add_argument("--key", default="", help="PEM file or PKCS#11 address of the signing key")
    options = parser.parse_args(arguments)
    try:
        version = (
            options.version or (image_dir(options.arch, options.flavour) / "version").read_text().strip()
        )
        order = Order(options.arch, options.flavour, signer_of(options), read_notes(options.notes), version)
        bundle = BUILD / "bundle" / f"{compatible(options.arch)}-{options.flavour}-{version}.raucb"
        with step(f"bundle {version}"):
            build(order, bundle)
    except SmartCockpitError as error:
        print(f"make bundle: {error}", file=sys.stderr)
        return error.exit_code
    print(f"  bundle: {bundle}", file=sys.stderr)
    return 0


def signer_of(options: argparse.Namespace) -> Signer:
    """Return who signs: CERT= and KEY=, else the flavour's family of this checkout."""
    if bool(options.cert) != bool(options.key):
        raise UsageError("CERT= and KEY= belong together", "name both, as files or PKCS#11 addresses")
    if options.key:
        return Signer(options.cert, options.key)
    return Signer.of_family(families.family(families.OF_FLAVOUR[options.flavour]))


if __name__ == "__main__":
    sys.exit(main())
