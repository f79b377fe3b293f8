"""`culld archive score --address` on a cluster of two nodes on this machine, of which one is killed half-way."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from culld.cli import exit_codes
from harness import factories
from harness.archives import rows_of
from harness.two_nodes import OTHER, TwoNodes, two_nodes

pytest.importorskip("ray")
pytest.importorskip("pyarrow")

COUNT = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    """Start two nodes, and end them."""
    with two_nodes() as nodes:
        yield nodes


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
    command = [*cluster.scoring(photos, out), "--shard-size=2", "--json"]
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
    env = cluster.env | {"RAY_AUTH_TOKEN": "other"}
    command = cluster.scoring(photos, tmp_path / "out")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (exit_codes.SYSTEM_FAULT, "")
    assert done.stderr == (
        f"culld: the Ray cluster at {cluster.address} refuses the token of this process: set RAY_AUTH_MODE=token, and"
        " RAY_AUTH_TOKEN to the token of the cluster\n"
    )
