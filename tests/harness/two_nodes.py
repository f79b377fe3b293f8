"""A Ray cluster of two nodes with one processor each on this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.process_tree import below, processes

BIN = Path(sys.executable).parent
HEAD, OTHER = "127.0.0.2", "127.0.0.3"  # Ray replaces 127.0.0.1 by the address of the machine


@dataclass
class TwoNodes:
    """The cluster: the environment of a driver, the folder of Ray, and the address."""

    env: dict[str, str]
    temp: Path
    address: str

    def start(self, ip: str, *options: str) -> None:
        """Start a node; raises CalledProcessError."""
        command = [
            str(BIN / "ray"), "start", f"--node-ip-address={ip}", "--num-cpus=1", "--num-gpus=0",
            "--object-store-memory=80000000", "--min-worker-port=0", "--max-worker-port=0",
            "--dashboard-agent-listen-port=0", "--disable-usage-stats", *options,
        ]  # fmt: skip
        with (self.temp / f"{ip}.log").open("wb") as log:  # its servers keep the output open
            subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)

    def start_other(self) -> None:
        """Start the second node, also after it was killed."""
        self.start(OTHER, f"--address={self.address}")

    def kill(self, ip: str = "") -> None:
        """Kill all processes of a node, or of all nodes; each server names the folder of this cluster."""
        servers = [
            pid
            for pid, (_, _, command) in processes().items()
            if str(self.temp) in command and (not ip or f"--node_ip_address={ip}\0" in command)
        ]
        for pid in [*servers, *below(*servers)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def scoring(self, photos: Path, out: Path) -> list[str | Path]:
        """The command that scores photos on the cluster."""
        return [BIN / "culld", "archive", "score", photos, "--out", out, "--address", self.address]


@contextlib.contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Start two nodes, and kill them at the end."""
    temp = Path(tempfile.mkdtemp(prefix="culld-two-", dir="/tmp"))
    env = {
        **os.environ,
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
    }  # fmt: skip
    port, client_port = _free_port(), _free_port()
    nodes = TwoNodes(env, temp, f"{HEAD}:{port}")
    ports = (f"--port={port}", f"--ray-client-server-port={client_port}")
    try:
        nodes.start(HEAD, "--head", *ports, f"--temp-dir={temp}", "--include-dashboard=false")
        nodes.start_other()
        yield nodes
    finally:
        nodes.kill()
        shutil.rmtree(temp, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server((HEAD, 0)) as server:
        return int(server.getsockname()[1])
