"""`culld archive score --address` on a cluster of two nodes on this machine, of which one is killed half-way."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from culld.cli import exit_codes
from harness import factories
from harness.archives import rows_of
from harness.process_tree import below, processes

pytest.importorskip("ray")
pytest.importorskip("pyarrow")

BIN = Path(sys.executable).parent
HEAD, OTHER = "127.0.0.2", "127.0.0.3"  # Ray replaces 127.0.0.1 by the address of the machine
COUNT = 60


@dataclass
class TwoNodes:
    """A cluster of two nodes with a processor each."""

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
            subprocess.run(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True, timeout=90
            )

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


def free_port() -> int:
    """A port that nothing uses now."""
    with socket.create_server((HEAD, 0)) as server:
        return int(server.getsockname()[1])


def scoring(cluster: TwoNodes, photos: Path, out: Path) -> list[str | Path]:
    """The command that scores on the cluster."""
    return [BIN / "culld", "archive", "score", photos, "--out", out, "--address", cluster.address]


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    """Start two nodes, and end them."""
    temp = Path(tempfile.mkdtemp(prefix="culld-two-", dir="/tmp"))
    env = {
        **os.environ,
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
    }  # fmt: skip
    port, client_port = free_port(), free_port()
    nodes = TwoNodes(env, temp, f"{HEAD}:{port}")
    ports = (f"--port={port}", f"--ray-client-server-port={client_port}")
    try:
        nodes.start(HEAD, "--head", *ports, f"--temp-dir={temp}", "--include-dashboard=false")
        nodes.start(OTHER, f"--address={nodes.address}")
        yield nodes
    finally:
        nodes.kill()
        shutil.rmtree(temp, ignore_errors=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small photos."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        (folder / f"{number:02}.jpg").write_bytes(factories.encoded(factories.picture(number, (480, 360))))
    return folder


def test_a_node_that_is_killed_half_way_costs_no_row(cluster: TwoNodes, photos: Path, tmp_path: Path) -> None:
    """Each node has one actor; after the kill the other node scores the rest, and no photo twice."""
    out = tmp_path / "out"
    command = [*scoring(cluster, photos, out), "--shard-size=2", "--json"]
    run = subprocess.Popen(command, env=cluster.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(list(out.glob("rows/0001/shard-*.parquet"))) < 6 and run.poll() is None:
        time.sleep(0.02)
    assert run.poll() is None, run.communicate()
    cluster.kill(OTHER)
    printed, told = run.communicate()

    assert (run.returncode, told) == (exit_codes.FINE, "culld: 2 nodes; dashboard of Ray: none\n")
    assert Counter(str(row["path"]) for row in rows_of(out)) == Counter(map(str, photos.iterdir()))
    counts = json.loads(printed)
    assert (counts["scored"], counts["losses"]) == (COUNT, 1)
    assert list(out.rglob(".*")) == []


def test_a_wrong_token_is_one_sentence(cluster: TwoNodes, photos: Path, tmp_path: Path) -> None:
    """Ray alone would try again without end."""
    command = scoring(cluster, photos, tmp_path / "out")
    done = subprocess.run(
        command, env=cluster.env | {"RAY_AUTH_TOKEN": "other"}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (exit_codes.SYSTEM_FAULT, "")
    assert done.stderr == (
        f"culld: the Ray cluster at {cluster.address} refuses the token of this process: set RAY_AUTH_MODE=token, and"
        " RAY_AUTH_TOKEN to the token of the cluster\n"
    )
