# SPDX-License-Identifier: Apache-2.0
"""What a daemon costs to start and to keep: CPU time to ready and memory, beside the usual stack, in one run.

The daemon runs as on the target: installed with byte-code, no path files in site-packages, a compiled demo
vehicle, a private bus daemon. It is ready when it says so to the service manager. Its peer is a process that
imports the libraries named in budgets.toml; one with cantools also loads the DBC files of the vehicle.

    python tests/perf/bench_start.py [rounds]
"""

from __future__ import annotations

import compileall
import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
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
    """Start `daemon`, wait for READY=1, measure, stop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        (folder / "notify").unlink(missing_ok=True)
        manager.bind(str(folder / "notify"))
        manager.settimeout(READY_TIMEOUT_S)
        environment = bus.environment | {"SMARTCOCKPIT_CONFIG_PATH": str(folder)}
        environment["NOTIFY_SOCKET"] = manager.getsockname()
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", f"from smartcockpit.daemons.{daemon}.__main__ import main; main()"],
            env=environment | python_path(folder), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not manager.recv(4096).startswith(b"READY=1"):
                pass
            return cost_of(process.pid)
        finally:
            process.terminate()
            process.wait(10)


def measure_peer(libraries: list[str], databases: list[Path], folder: Path) -> Cost:
    """Start the peer, wait until it has loaded all, measure, stop."""
    code = PEER.format(libraries=", ".join(libraries))
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", code, *map(str, databases if "cantools" in libraries else ())],
        env={**os.environ, **python_path(folder)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert select.select([process.stdout], [], [], READY_TIMEOUT_S)[0], "the peer did not start"
    process.stdout.readline()
    found = cost_of(process.pid)
    process.communicate()
    return found


def install(folder: Path) -> None:
    """Put our package with its byte-code below `folder`, as `make install` does."""
    shutil.copytree(ROOT / "python/src/smartcockpit", folder / "site/smartcockpit")
    compileall.compile_dir(folder / "site", quiet=1)


def python_path(folder: Path) -> dict[str, str]:
    """Return the environment that finds our installed package, then the libraries beside the interpreter."""
    return {"PYTHONPATH": f"{folder}/site:{sysconfig.get_path('purelib')}", "PYTHONDONTWRITEBYTECODE": ""}


def compile_vehicle(vehicle: Path, folder: Path) -> Path:
    """Compile `vehicle` as `make install` does, byte-code included."""
    table = folder / "tables" / f"{vehicle.name}.py"
    table.parent.mkdir(parents=True, exist_ok=True)
    program = [sys.executable, "-m", "smartcockpit.vehicle", "compile", str(vehicle), "-o", str(table)]
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
    compileall.compile_file(table, quiet=1)
    return table


def median(costs: list[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def measure(rounds: int, vehicle: Path = ROOT / "dbc/demo") -> dict[str, tuple[Cost, Cost]]:
    """Return the median cost of each daemon with a budget, and of its peer; rounds alternate."""
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        folder = Path(name)
        for daemon, budget in BUDGETS.items():
            (folder / f"{daemon}.toml").write_text(budget.get("settings", ""))
        (folder / "canbridge.toml").write_text(f'vehicle = "{compile_vehicle(vehicle, folder)}"\n')
        install(folder)
        databases = sorted(vehicle.glob("*.dbc"))
        found: dict[str, tuple[list[Cost], list[Cost]]] = {daemon: ([], []) for daemon in BUDGETS}
        with PrivateBus(folder) as bus:
            for _ in range(rounds):
                for daemon, (costs, peers) in found.items():
                    costs.append(measure_daemon(daemon, folder, bus))
                    peers.append(measure_peer(BUDGETS[daemon]["peer"], databases, folder))
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
