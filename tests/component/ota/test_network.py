# SPDX-License-Identifier: Apache-2.0
"""The network process against every fault of a server and of TLS: it says what is wrong, in time, and keeps the
token to itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from smartcockpit_bench.hawkbit import documents
from smartcockpit_bench.hawkbit.faults import ALL, STATUS, TRANSFER
from smartcockpit_bench.hawkbit.model import Bundle
from smartcockpit_bench.hawkbit.pki import TLS_FAULTS, Pki
from smartcockpit_bench.hawkbit.serve import HawkbitServer
from support.hawkbit import DEVICE, TOKEN, Worker, bundle, serve

BASE = f"/DEFAULT/controller/v1/{DEVICE}"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[HawkbitServer]:
    with serve(pki) as running:
        yield running


@pytest.fixture(scope="module")
def worker(server: HawkbitServer, pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("worker"), server.url, pki.ca_file) as running:
        yield running


@pytest.fixture(autouse=True)
def sound(server: HawkbitServer) -> Iterator[None]:
    yield
    server.faults.off()
    server.requests.clear()
    server.model.download_url = ""
    for action in server.model.actions:
        server.model.force_quit(action)


EXPECTED: dict[str, str | int] = {
    **STATUS, "empty": 200, "bad-json": 200, "huge-json": "large", "redirect-loop": "redirects",
    "redirect-http": "redirects", "slow": "slow", "stall": "stalled",
    "reset": "unreachable", "half-close": "cut",
}  # fmt: skip
"""What a request for a document ends with: a status, or the kind of fault."""


@pytest.mark.parametrize("fault", [f for f in ALL if f in EXPECTED])
def test_each_fault_of_the_server_is_named(server: HawkbitServer, worker: Worker, fault: str) -> None:
    server.faults.on(fault)
    answer = worker.exchange("GET", server.url + BASE)
    found = answer.get("error", answer.get("status"))
    assert found == EXPECTED[fault] or (fault == "reset" and found == "cut"), answer
    server.faults.off()
    assert worker.exchange("GET", server.url + BASE)["status"] == 200, "the next request is fine"


def test_retry_after_is_handed_on(server: HawkbitServer, worker: Worker) -> None:
    server.faults.on("429")
    assert worker.exchange("GET", server.url + BASE)["retry_after_s"] == 1.0


def test_the_token_goes_to_its_own_server_and_to_no_other(
    server: HawkbitServer, worker: Worker, pki: Pki
) -> None:
    with serve(pki, token="") as other:
        server.faults.on("redirect-host", times=1)
        server.model.download_url = other.url
        assert worker.exchange("GET", server.url + BASE)["status"] == 200
        worker.exchange("GET", other.url + BASE)
        assert [r.headers.get("Authorization") for r in server.requests] == [TOKEN]
        assert [r.headers.get("Authorization") for r in other.requests] == [None, None]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://localhost/x", "insecure"),
        ("ftp://localhost/x", "insecure"),
        ("file:///etc/passwd", "insecure"),
        ("https:///x", "link"),
        ("https://user:word@localhost/x", "link"),
        ("https://localhost:99999/x", "link"),
        ("https://[::1", "link"),
        ("", "insecure"),
    ],
)
def test_odd_links_are_refused(worker: Worker, url: str, kind: str) -> None:
    assert worker.exchange("GET", url)["error"] == kind


@pytest.mark.parametrize("fault", TLS_FAULTS)
def test_each_fault_of_tls_ends_the_talk(pki: Pki, tmp_path: Path, fault: str) -> None:
    with serve(pki, fault) as wrong, Worker(tmp_path, wrong.url, pki.ca_file) as worker:
        answer = worker.exchange("GET", wrong.url + BASE)
        assert answer.get("error") in (
            ("clock",) if fault in ("expired", "not-yet-valid") else
            ("tls", "unreachable", "broken", "cut") if fault in ("tls-1.1", "client-certificate") else
            ("certificate",)
        ), answer  # fmt: skip
        assert wrong.requests == []


def test_a_client_certificate_opens_what_asks_for_one(pki: Pki, tmp_path: Path) -> None:
    with (
        serve(pki, "client-certificate") as strict,
        Worker(tmp_path, strict.url, pki.ca_file, certificate=str(pki.client_file)) as worker,
    ):
        assert worker.exchange("GET", strict.url + BASE)["status"] == 200


def test_a_token_that_cannot_be_read_is_named(server: HawkbitServer, pki: Pki, tmp_path: Path) -> None:
    with Worker(tmp_path, server.url, pki.ca_file, token_file="/nonexistent/token") as worker:
        answer = worker.exchange("GET", server.url + BASE)
        assert answer["error"] == "config"
        assert "/nonexistent/token" in answer["text"]


# ---- downloads -------------------------------------------------------------------------------------------


def job(server: HawkbitServer, wanted: Bundle, folder: Path, **more: Any) -> dict[str, Any]:
    action = server.model.assign(DEVICE, wanted)
    document = documents.deployment(server.model, DEVICE, action.number)
    assert document is not None
    (artifact,) = document["deployment"]["chunks"][0]["artifacts"]
    return {
        "fetch": {
            "url": artifact["_links"]["download-http"]["href"], "folder": str(folder), "sha256": wanted.sha256,
            "size": len(wanted.data), "boot_id": "b1", "window_s": 0.3, **more,
        }
    }  # fmt: skip


def test_a_bundle_comes_whole_and_with_a_range_from_the_start(
    server: HawkbitServer, worker: Worker, tmp_path: Path
) -> None:
    wanted = bundle()
    assert worker.ask(job(server, wanted, tmp_path)) == {"done": True}
    assert (tmp_path / f"{wanted.sha256}.raucb").read_bytes() == wanted.data
    assert [p.name for p in tmp_path.iterdir()] == [f"{wanted.sha256}.raucb"]
    assert server.requests[-1].headers["Range"] == "bytes=0-"


RESULTS: dict[str, str] = {
    **dict.fromkeys(STATUS, "status"), "empty": "length", "redirect-loop": "redirects",
    "redirect-http": "redirects", "wrong-length": "length", "slow": "slow", "stall": "stalled",
    "reset": "unreachable", "half-close": "cut", "etag-changed": "unreachable",
}  # fmt: skip


@pytest.mark.parametrize("fault", [*RESULTS, "416", "range-ignored"])
def test_each_fault_of_a_download_is_survived(
    server: HawkbitServer, worker: Worker, tmp_path: Path, fault: str
) -> None:
    wanted = bundle()
    server.faults.on(fault, "/artifacts/", after_bytes=150_000 if fault in TRANSFER else 0)
    request = job(server, wanted, tmp_path)
    answer = worker.ask(request)
    if fault in RESULTS:
        found = answer["error"]
        assert found == RESULTS[fault] or (RESULTS[fault] == "unreachable" and found == "cut"), answer
    server.faults.off()
    assert worker.ask(request) == {"done": True}
    assert (tmp_path / f"{wanted.sha256}.raucb").read_bytes() == wanted.data


def test_what_is_there_is_not_fetched_again(server: HawkbitServer, worker: Worker, tmp_path: Path) -> None:
    wanted = bundle(2_000_000)
    server.faults.on("reset", "/artifacts/", times=1, after_bytes=1_500_000)
    request = job(server, wanted, tmp_path)
    worker.ask(request)
    have = (tmp_path / f"{wanted.sha256}.part").stat().st_size
    server.requests.clear()
    assert worker.ask(request) == {"done": True}
    assert server.sent() == len(wanted.data) - have
    assert server.requests[-1].headers["If-Range"] == f'"{wanted.sha1}"'


def test_after_a_reboot_only_what_was_synced_counts(
    server: HawkbitServer, worker: Worker, tmp_path: Path
) -> None:
    wanted = bundle(2_000_000)
    server.faults.on("half-close", "/artifacts/", times=1, after_bytes=1_500_000)
    worker.ask(job(server, wanted, tmp_path))
    note = tmp_path / f"{wanted.sha256}.json"
    part = tmp_path / f"{wanted.sha256}.part"
    note.write_text(json.dumps({"etag": f'"{wanted.sha1}"', "synced": 1 << 20, "boot_id": "b0"}))
    with part.open("r+b") as file:
        file.seek(1 << 20)
        file.write(bytes(1000))  # holes, as a power cut leaves them
    server.requests.clear()
    assert worker.ask(job(server, wanted, tmp_path)) == {"done": True}
    assert server.sent() == len(wanted.data) - (1 << 20)


def test_another_file_behind_the_same_address_is_begun_anew(
    server: HawkbitServer, worker: Worker, tmp_path: Path
) -> None:
    wanted = bundle()
    server.faults.on("etag-changed", "/artifacts/", times=2, after_bytes=100_000)
    request = job(server, wanted, tmp_path)
    assert worker.ask(request)["error"] in ("unreachable", "cut")
    assert worker.ask(request)["error"] in ("unreachable", "cut")
    assert worker.ask(request) == {"done": True}


def test_a_wrong_checksum_drops_the_file(server: HawkbitServer, worker: Worker, tmp_path: Path) -> None:
    wanted = bundle()
    request = job(server, wanted, tmp_path)
    request["fetch"]["sha256"] = "0" * 64
    assert worker.ask(request)["error"] == "checksum"
    assert not list(tmp_path.glob("*.raucb"))
    assert not list(tmp_path.glob("*.part"))


def test_more_than_announced_is_not_taken(server: HawkbitServer, worker: Worker, tmp_path: Path) -> None:
    wanted = bundle()
    request = job(server, wanted, tmp_path, size=1000)
    assert worker.ask(request)["error"] in ("length", "range")


def test_the_allowance_of_a_metered_link_is_kept(
    server: HawkbitServer, worker: Worker, tmp_path: Path
) -> None:
    wanted = bundle()
    assert worker.ask(job(server, wanted, tmp_path, at_most=100_000))["error"] == "metered"
    assert (tmp_path / f"{wanted.sha256}.part").stat().st_size < 200_000


def test_a_folder_that_is_not_there_is_a_fault_of_storage(
    server: HawkbitServer, worker: Worker, tmp_path: Path
) -> None:
    assert worker.ask(job(server, bundle(), tmp_path / "no"))["error"] == "storage"


def test_a_local_file_is_copied_and_hashed(worker: Worker, tmp_path: Path) -> None:
    wanted = bundle()
    (tmp_path / "stick.raucb").write_bytes(wanted.data)
    answer = worker.ask({"copy": str(tmp_path / "stick.raucb"), "folder": str(tmp_path)})
    assert answer == {"size": len(wanted.data), "sha256": wanted.sha256}
    assert worker.ask({"copy": "/nonexistent", "folder": str(tmp_path)})["error"] == "file"


def test_killed_at_90_percent_at_most_one_mebibyte_is_fetched_again(
    server: HawkbitServer, pki: Pki, tmp_path: Path
) -> None:
    wanted = bundle(8 << 20)
    request = job(server, wanted, tmp_path, window_s=60)
    server.faults.on("stall", "/artifacts/", times=1, after_bytes=len(wanted.data) * 9 // 10)
    part = tmp_path / f"{wanted.sha256}.part"
    with Worker(tmp_path, server.url, pki.ca_file, stall_s=30) as first:
        first._say(request)
        while not part.exists() or part.stat().st_size < len(wanted.data) * 9 // 10 - (1 << 16):
            pass
        first.kill()
    sent = server.sent()
    with Worker(tmp_path, server.url, pki.ca_file) as second:
        assert second.ask(request) == {"done": True}
    assert server.sent() - len(wanted.data) <= 1 << 20, f"{sent} before the kill"
