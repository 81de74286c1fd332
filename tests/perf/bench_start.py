# SPDX-License-Identifier: Apache-2.0
"""What a daemon costs to start and to keep: CPU time to ready and memory, beside the usual stack, in one run.

The daemon runs as on the target: put there by `make install`, started by its program, on a private bus. It is
ready when it says so to the service manager. Its peer is a process that imports the libraries named in
budgets.toml, without path files either; one with cantools also loads the DBC files of the vehicle.

    python tests/perf/bench_start.py [rounds]
"""

from __future__ import annotations

import compileall
import os
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf.report import print_table
from support.dbus_daemon import PrivateBus

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = tomllib.loads((ROOT / "tests/perf/budgets.toml").read_text())["daemons"]
READY_TIMEOUT_S = 60
PEER = """
import sys, {libraries}
for path in sys.argv[1:]:
    cantools.database.load_file(path)
print("ready", flush=True)
sys.stdin.read()
"""


class Cost(NamedTuple):
    """Of one process when it is ready."""

    cpu_ms: float
    rss_mb: float
    pss_mb: float
    private_mb: float


def cost_of(pid: int) -> Cost:
    """Read it from /proc; CPU time from schedstat, which counts in ns."""
    cpu_ns = sum(int((t / "schedstat").read_text().split()[0]) for t in Path(f"/proc/{pid}/task").iterdir())
    rollup = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        if ":" in line
    )
    kb = {key: int(value.split()[0]) for key, value in rollup.items()}
    private = kb["Private_Clean"] + kb["Private_Dirty"]
    return Cost(cpu_ns / 1e6, kb["Rss"] / 1024, kb["Pss"] / 1024, private / 1024)


def measure_daemon(daemon: str, folder: Path, bus: PrivateBus) -> Cost:
    """Start the installed `daemon`, wait for READY=1, measure, stop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        (folder / "notify").unlink(missing_ok=True)
        manager.bind(str(folder / "notify"))
        manager.settimeout(READY_TIMEOUT_S)
        environment = bus.environment | {"SMARTCOCKPIT_CONFIG_PATH": str(folder)}
        environment["NOTIFY_SOCKET"] = manager.getsockname()
        environment.pop("PYTHONPATH", None)  # what is installed, and nothing else
        program = folder / "usr/bin" / f"smartcockpit-{daemon}"
        process = subprocess.Popen([program], env=environment, stderr=subprocess.DEVNULL)
        try:
            while not manager.recv(4096).startswith(b"READY=1"):
                pass
            return cost_of(process.pid)
        finally:
            process.terminate()
            process.wait(10)


def measure_peer(libraries: list[str], databases: list[Path]) -> Cost:
    """Start the peer, wait until it has loaded all, measure, stop."""
    code = PEER.format(libraries=", ".join(libraries))
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", code, *map(str, databases if "cantools" in libraries else ())],
        env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert select.select([process.stdout], [], [], READY_TIMEOUT_S)[0], "the peer did not start"
    process.stdout.readline()
    found = cost_of(process.pid)
    process.communicate()
    return found


def install(folder: Path) -> None:
    """Install below `folder` with `make install`, byte-code, module pack, vehicle and all."""
    site = folder / "site"
    for name in needed(
        tomllib.loads((ROOT / "python/pyproject.toml").read_text())["project"]["dependencies"]
    ):
        for file in metadata.files(name) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file.locate(), site / file)
    compileall.compile_dir(site, quiet=1)
    make = [
        "make",
        "--no-print-directory",
        "-s",
        "-C",
        ROOT,
        "install",
        f"PREFIX={folder}/usr",
        f"SITE={site}",
    ]
    subprocess.run(
        [*make, f"PYTHON={sys.executable}", f"INTERPRETER={sys.executable}"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def needed(requirements: list[str]) -> set[str]:
    """Return the names of the distributions that these requirements ask for, with what those need."""
    names = {re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in requirements if "extra ==" not in one}
    return names.union(*(needed(metadata.requires(name) or []) for name in names))


def median(costs: list[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def measure(rounds: int) -> dict[str, tuple[Cost, Cost]]:
    """Return the median cost of each daemon with a budget, and of its peer; rounds alternate."""
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        folder = Path(name)
        for daemon, budget in BUDGETS.items():
            (folder / f"{daemon}.toml").write_text(budget.get("settings", ""))
        install(folder)
        vehicle = folder / "usr/lib/smartcockpit/vehicles/demo.py"
        (folder / "canbridge.toml").write_text(f'vehicle = "{vehicle}"\n')
        databases = sorted((ROOT / "dbc/demo").glob("*.dbc"))
        found: dict[str, tuple[list[Cost], list[Cost]]] = {daemon: ([], []) for daemon in BUDGETS}
        with PrivateBus(folder) as bus:
            for _ in range(rounds):
                for daemon, (costs, peers) in found.items():
                    costs.append(measure_daemon(daemon, folder, bus))
                    peers.append(measure_peer(BUDGETS[daemon]["peer"], databases))
    return {daemon: (median(costs), median(peers)) for daemon, (costs, peers) in found.items()}


def main() -> int:
    """Print the table; exit code 1 when a budget is broken."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rows: list[tuple[object, ...]] = []
    broken = False
    for name, (cost, peer) in measure(rounds).items():
        budget, ratio = BUDGETS[name], cost.cpu_ms / peer.cpu_ms
        fits = ratio <= budget["start_ratio"] and cost.rss_mb <= budget["rss_mb"]
        broken |= not fits
        target = f"<= {budget['start_ratio']:.2f}, {budget['rss_mb']:.0f} MB"
        rows.append((name, *(f"{x:.1f}" for x in cost), f"{ratio:.2f}", target, "yes" if fits else "NO"))
        libraries = " + ".join(library for library in budget["peer"] if "." not in library)
        rows.append((f"  beside {libraries}", *(f"{x:.1f}" for x in peer), "1.00", "", ""))
    columns = ("process", "CPU ms to ready", "RSS MB", "PSS MB", "private MB", "ratio", "target", "met")
    print_table("start of a daemon", columns, rows)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
