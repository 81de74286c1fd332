# SPDX-License-Identifier: Apache-2.0
"""A real Eclipse hawkBit on this machine, for `make hawkbit-test`: the jar, its process, its management API.

The server keeps everything in memory (H2) and listens on the loopback with a certificate of our own
authority. Source of calls and options: hawkBit 1.0.4, hawkbit-mgmt-api and hawkbit-update-server.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any, Self

from smartcockpit.core.errors import UnavailableError

ARTIFACT = "org.eclipse.hawkbit:hawkbit-update-server:1.0.4"
HINT = (
    f"it is {ARTIFACT} and needs Java 17: mvn dependency:get -Dartifact={ARTIFACT} -Dtransitive=false, or "
    "name the file in HAWKBIT_JAR; more in docs/how-to/updates.md"
)
START_S = 300.0
MAIN = "org.eclipse.hawkbit.app.Start"


def find_jar(environment: dict[str, str] | None = None) -> Path:
    """Return the server's jar: HAWKBIT_JAR, Maven's own store, else from Maven's registry.

    Raises `UnavailableError` that says how to get it.
    """
    given = (environment if environment is not None else dict(os.environ)).get("HAWKBIT_JAR")
    if given:
        if not Path(given).is_file():
            raise UnavailableError(f"HAWKBIT_JAR: there is no file {given}", HINT)
        return Path(given)
    group, name, version = ARTIFACT.split(":")
    stored = (
        Path.home() / ".m2/repository" / group.replace(".", "/") / name / version / f"{name}-{version}.jar"
    )
    if not stored.is_file() and shutil.which("mvn"):
        command = [
            "mvn",
            "--batch-mode",
            "-q",
            "dependency:get",
            f"-Dartifact={ARTIFACT}",
            "-Dtransitive=false",
        ]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=600)
    if not stored.is_file():
        raise UnavailableError("the hawkBit server's jar cannot be had", HINT)
    if not shutil.which("java"):
        raise UnavailableError("java is not installed", "apt install openjdk-17-jre-headless")
    return stored


class RealHawkbit:
    """The server's process and an operator's client of it. Use it as a context manager."""

    def __init__(self, jar: Path, folder: Path, certificate: Path, key: Path, ca_file: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"https://localhost:{self.port}"
        self._log = folder / "hawkbit.log"
        self.context = ssl.create_default_context(cafile=str(ca_file))
        options = {
            "server.address": "127.0.0.1", "server.port": self.port, "server.ssl.enabled": "true",
            "server.ssl.certificate": f"file:{certificate}",
            "server.ssl.certificate-private-key": f"file:{key}",
            "hawkbit.server.security.dos.filter.enabled": "false",
            "org.eclipse.hawkbit.repository.file.path": folder / "artifacts",
        }  # fmt: skip
        self._command = [
            "java", "-Xmx768m", "-Dspring.profiles.active=h2", f"-Dloader.main={MAIN}", "-cp", str(jar),
            "org.springframework.boot.loader.launch.PropertiesLauncher",
            *(f"--{name}={value}" for name, value in options.items()),
        ]  # fmt: skip
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)
        end = time.monotonic() + START_S
        while True:
            try:
                self.rest("GET", "/rest/v1/targets")
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    self.__exit__()
                    last = self._log.read_text(errors="replace")[-3000:]
                    raise UnavailableError(f"hawkBit did not come up: {error}\n{last}") from error
                time.sleep(0.5)
            else:
                break
        self.configure("authentication.targettoken.enabled", True)
        self.configure("pollingTime", "00:00:30")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def rest(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """Call the management API as admin; return the document. Raises `OSError`, `UnavailableError`."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        login = base64.b64encode(b"admin:admin").decode()
        headers = {
            "Authorization": f"Basic {login}",
            "Content-Type": content_type,
            "Accept": "application/json",
        }
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=self.context)
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise UnavailableError(f"{method} {path} is answered with {response.status}: {answer[:500]!r}")
        return json.loads(answer) if answer else None

    # ---- what an operator does ---------------------------------------------------------------------------

    def configure(self, key: str, value: Any) -> None:
        """Set an option of the tenant."""
        self.rest("PUT", f"/rest/v1/system/configs/{key}", {"value": value})

    def create_target(self, device: str, token: str) -> None:
        """Make a target with its token."""
        self.rest(
            "POST", "/rest/v1/targets", [{"controllerId": device, "name": device, "securityToken": token}]
        )

    def upload(self, name: str, version: str, filename: str, data: bytes) -> int:
        """Make module and distribution set with one bundle; return the set's number."""
        module = {"name": name, "version": version, "type": "os"}
        (made,) = self.rest("POST", "/rest/v1/softwaremodules", [module])
        boundary = uuid.uuid4().hex
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        body = f"{part}Content-Type: application/octet-stream\r\n\r\n".encode() + data
        body += f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        self.rest("POST", f"/rest/v1/softwaremodules/{made['id']}/artifacts", body, kind)
        wanted = {"name": name, "version": version, "type": "os", "modules": [{"id": made["id"]}]}
        (distribution,) = self.rest("POST", "/rest/v1/distributionsets", [wanted])
        return int(distribution["id"])

    def assign(self, device: str, distribution: int, kind: str = "forced", **more: Any) -> int:
        """Assign a distribution set; return the action's number."""
        wanted = {"id": distribution, "type": kind, **more}
        answer = self.rest("POST", f"/rest/v1/targets/{device}/assignedDS", wanted)
        return int(answer["assignedActions"][0]["id"])

    def cancel(self, device: str, action: int, *, force: bool = False) -> None:
        """Ask the device to stop; with `force`, which takes an open cancel, end the action without asking."""
        forced = "?force=true" if force else ""
        self.rest("DELETE", f"/rest/v1/targets/{device}/actions/{action}{forced}")

    def action(self, device: str, action: int) -> dict[str, Any]:
        """Return how an action stands: status finished, pending, …; detailStatus."""
        found: dict[str, Any] = self.rest("GET", f"/rest/v1/targets/{device}/actions/{action}")
        return found

    def entries(self, device: str, action: int) -> list[dict[str, Any]]:
        """Return the status entries of an action, oldest first."""
        path = f"/rest/v1/targets/{device}/actions/{action}/status?sort=id:ASC&limit=500"
        found: list[dict[str, Any]] = self.rest("GET", path)["content"]
        return found
