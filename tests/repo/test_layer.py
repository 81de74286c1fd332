# SPDX-License-Identifier: Apache-2.0
"""The production build hangs together: kas files, layer and what they name in this repository.

Needs no clone of any layer. That the whole parses and resolves is bitbake's to say (docs/how-to/yocto.md). Boards
and slots: test_layer_boards.py.
"""

from __future__ import annotations

import hashlib
import re
from argparse import Namespace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from kas.configschema import CONFIGSCHEMA
from kas.context import create_global_context
from kas.includehandler import IncludeHandler, LoadConfigException
from support.recipe import LAYER, RECIPE, ROOT, recipe_file, variable

KAS_FILES = [ROOT / "kas.yml", *sorted((ROOT / "kas").glob("*.yml"))]
MACHINES = {
    "kas.yml": "raspberrypi4-64",
    "kas/raspberrypi4-64.yml": "raspberrypi4-64",
    "kas/raspberrypi5.yml": "raspberrypi5",
    "kas/imx8mp.yml": "imx8mp-lpddr4-evk",
    "kas/imx8mm.yml": "imx8mm-lpddr4-evk",
    "kas/qemux86-64.yml": "qemux86-64",
    "kas/qemuarm64.yml": "qemuarm64",
}
# Layers by folder -> the collection name under which LAYERDEPENDS knows them.
COLLECTIONS = {
    "meta": "core",
    "meta-multimedia": "multimedia-layer",
    "meta-networking": "networking-layer",
    "meta-oe": "openembedded-layer",
    "meta-python": "meta-python",
    "meta-rauc": "rauc",
}


def load(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text())
    assert isinstance(loaded, dict)
    return loaded


@cache
def merged(*files: str) -> dict[str, Any]:
    """Return what `kas dump` would show, without a clone: every include is in this repository."""
    create_global_context(Namespace(no_color=True))
    config, missing = IncludeHandler([str(ROOT / file) for file in files], use_lock=False).get_config()
    assert missing == []
    assert isinstance(config, dict)
    return config


@pytest.mark.parametrize("path", KAS_FILES, ids=lambda p: p.name)
def test_kas_accepts_the_file(path: Path) -> None:
    jsonschema.validate(load(path), CONFIGSCHEMA)


@pytest.mark.parametrize(("file", "machine"), MACHINES.items())
@pytest.mark.parametrize("fragment", ["", "kas/dev.yml", "kas/release.yml"])
def test_every_board_is_whole_with_every_fragment(file: str, machine: str, fragment: str) -> None:
    config = merged(*filter(None, [file, fragment]))
    jsonschema.validate(config, CONFIGSCHEMA)
    assert (config["machine"], config["distro"]) == (machine, "smartcockpit")
    assert ("meta-raspberrypi" in config["repos"]) == machine.startswith("raspberrypi")
    assert ("meta-freescale" in config["repos"]) == machine.startswith("imx")
    licence = "ACCEPT_FSL_EULA" in str(config["local_conf_header"])
    assert licence == machine.startswith("imx"), "accepted for the boards that need it, and for no other"


def test_another_board_can_be_named_after_the_default_one() -> None:
    assert merged("kas.yml", "kas/imx8mp.yml")["machine"] == "imx8mp-lpddr4-evk"


def test_a_missing_fragment_is_named() -> None:
    with pytest.raises(LoadConfigException, match=r"hat\.yml"):
        merged("kas.yml", "kas/hat.yml")


def test_keys_come_from_the_environment_alone() -> None:
    named = merged("kas.yml", "kas/release.yml")["env"]
    assert named == dict.fromkeys(["SMARTCOCKPIT_KEYRING", "SMARTCOCKPIT_CERT", "SMARTCOCKPIT_KEY"], "")


@pytest.mark.parametrize("file", MACHINES)
def test_every_upstream_repository_is_pinned_over_https(file: str) -> None:
    upstream = {name: repo for name, repo in merged(file)["repos"].items() if "url" in repo}
    assert upstream
    for name, repo in upstream.items():
        assert re.fullmatch(r"[0-9a-f]{40}", repo["commit"]), name
        assert repo["url"].startswith("https://"), name
        assert repo["branch"], name


def test_our_own_repository_is_the_one_that_holds_kas_yml() -> None:
    ours = merged("kas.yml")["repos"]["smartcockpit"]
    assert ours == {"layers": {"meta-smartcockpit": None}}, "kas resolves a path against its work folder"


def test_kas_fetches_every_layer_that_ours_depends_on() -> None:
    repos = load(ROOT / "kas/base.yml")["repos"]
    layers = {layer for name, repo in repos.items() for layer in repo.get("layers", {name: None})}
    conf = (LAYER / "conf/layer.conf").read_text()
    assert set(variable(conf, "LAYERDEPENDS_smartcockpit")) == {
        COLLECTIONS[layer] for layer in layers if layer in COLLECTIONS
    }
    assert variable(conf, "LAYERSERIES_COMPAT_smartcockpit") == ["wrynose"]


@pytest.mark.parametrize("path", KAS_FILES, ids=lambda p: p.name)
def test_targets_and_distro_exist_in_the_layer(path: Path) -> None:
    config = load(path)
    targets = config.get("target", [])
    for target in [targets] if isinstance(targets, str) else targets:
        assert recipe_file(target).is_file(), target
    if "distro" in config:
        assert (LAYER / f"conf/distro/{config['distro']}.conf").is_file()


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "COPYING", "conf/layer.conf"])
def test_layer_has_the_files_that_yocto_check_layer_asks_for(name: str) -> None:
    assert (LAYER / name).is_file()


def test_recipe_takes_sources_that_exist_under_the_licence_that_it_names() -> None:
    recipe = RECIPE.read_text()
    sources = [word.removeprefix("file://") for word in variable(recipe, "SRC_URI")]
    assert sources
    assert [s for s in sources if not (ROOT / s).exists()] == []
    checksum = hashlib.md5((ROOT / "LICENSE").read_bytes(), usedforsecurity=False).hexdigest()
    assert variable(recipe, "LIC_FILES_CHKSUM") == [f"file://LICENSE;md5={checksum}"]


def test_recipe_enables_what_the_preset_enables() -> None:
    presets = (ROOT / "systemd/system-preset").glob("*.preset")
    wanted = {
        unit for preset in presets for unit in re.findall(r"^enable +(\S+)", preset.read_text(), re.MULTILINE)
    }
    assert wanted
    recipe = RECIPE.read_text()
    enabled = {u for p in ("${PN}", "${PN}-player") for u in variable(recipe, f"SYSTEMD_SERVICE:{p}")}
    assert enabled == wanted


def ids(table: str) -> dict[str, str]:
    """Return name -> id of one of the layer's static tables."""
    lines = (LAYER / "files" / table).read_text().splitlines()
    return {f[0]: f[2] for f in (line.split(":") for line in lines if line and not line.startswith("#"))}


def test_static_ids_are_unique_and_every_user_has_its_group() -> None:
    users, groups = ids("smartcockpit-passwd"), ids("smartcockpit-group")
    assert len(set(users.values())) == len(users)
    assert len(set(groups.values())) == len(groups)
    assert users.items() <= groups.items()


def of_ours(table: dict[str, str]) -> dict[str, str]:
    return {name: number for name, number in table.items() if name.partition("-")[0] == "smartcockpit"}


def test_users_and_groups_of_ours_are_the_same_in_sysusers_and_in_the_recipe() -> None:
    sysusers = "".join(conf.read_text() for conf in (ROOT / "systemd/sysusers.d").glob("*.conf"))
    users = dict(re.findall(r"^u!? +(\S+) +(\d+)", sysusers, re.MULTILINE))
    groups = dict(re.findall(r"^g +(\S+) +(\d+)", sysusers, re.MULTILINE))
    assert users
    assert of_ours(ids("smartcockpit-passwd")) == users
    assert of_ours(ids("smartcockpit-group")) == users | groups
    recipe = RECIPE.read_text()
    named = [word.strip(";") for word in variable(recipe, "USERADD_PARAM:${PN}")]
    assert of_ours(dict.fromkeys(named, "")).keys() == users.keys()
    assert of_ours(dict.fromkeys(variable(recipe, "GROUPADD_PARAM:${PN}"), "")).keys() == groups.keys()
