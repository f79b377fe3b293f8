"""`culld archive score s3://...` in whole processes: killed while it downloads, and started again."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from culld.cli import exit_codes
from harness import factories
from harness.archives import rows_of
from harness.object_server import object_server

pytest.importorskip("ray")
pytest.importorskip("pyarrow")
pytest.importorskip("moto")

CULLD = Path(sys.executable).with_name("culld")
COUNT = 40
SECRET = "secret-of-the-test"  # noqa: S105 (of a server on this machine)


def until(holds: Callable[[], bool]) -> None:
    """Wait; the time limit of the test ends a wait in vain."""
    while not holds():
        time.sleep(0.02)


def is_free(lock: Path) -> bool:
    """Whether the process that holds a lock has ended."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_run_over_objects_that_is_killed_goes_on_and_leaves_nothing(tmp_path: Path) -> None:
    """Each photo has one row; no copy stays; nothing was written to the bucket; the secret is in no file or output."""
    out, temp = tmp_path / "out", tmp_path / "temp"
    temp.mkdir()
    with object_server() as server:
        server.put("bucket")
        for number in range(COUNT):
            server.put(f"bucket/p/{number:02}.jpg", factories.encoded(factories.picture(number, (640, 480))))
        known = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET}
        environment = {**os.environ, **known, "TMPDIR": str(temp)}
        command = [CULLD, "archive", "score", "s3://bucket/p", "--out", out, "--workers=1", "--shard-size=4", "--json"]

        first = subprocess.Popen(command, env=environment)
        until(lambda: len(list(out.glob("rows/0001/shard-*"))) >= 2 and any(temp.glob("*/*/*/*.jpg")))
        first.kill()
        first.wait()
        until(lambda: all(is_free(each) for each in temp.glob("*/culld.lock")))
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        third = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    rows = Counter((row["path"], row["status"]) for row in rows_of(out))
    assert rows == {(f"s3://bucket/p/{number:02}.jpg", "scored"): 1 for number in range(COUNT)}
    assert json.loads(second.stdout)["kept"] >= 8
    assert (second.returncode, third.returncode) == (exit_codes.FINE, exit_codes.FINE)
    assert json.loads(third.stdout)["scored"] == 0
    assert list(temp.iterdir()) == []
    assert {method for method, _ in server.requests} == {"GET", "HEAD"}
    written = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    assert SECRET.encode() not in written
    assert SECRET not in second.stdout + second.stderr
