"""The daemon on a machine whose clock is wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import COMMAND, POLICY, House

BLURRED = factories.encoded(factories.blurred(factories.picture()), quality=92)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs the program faketime (Debian: faketime)")
def test_a_start_a_year_ahead_throws_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos that were moved a second ago stay in quarantine, and tags can be removed; then the doubt ends."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    policy = POLICY.replace(
        "quarantine: quarantine", "quarantine: {path: quarantine, trash_after: 30d}\nkeep_history: 30d"
    )
    house = House(tmp_path / "house").build(policy)
    with house.daemon():
        house.drop("reject.jpg", BLURRED)
        house.wait_until((house.quarantine / "reject.jpg").exists, "the quarantine")

    keep_house_ahead(house)
    assert house.photos(house.quarantine).keys() == {"reject.jpg"}
    assert not (tmp_path / "data").exists()

    with house.daemon():
        house.wait_until(lambda: "THE CLOCK IS IN DOUBT" not in house.culld("status"), "the end of the doubt")

    house.culld("restore", "--untag", "--all")
    assert (house.inbox / "reject.jpg").read_bytes() == BLURRED


def keep_house_ahead(house: House) -> None:
    """Let the daemon do its housekeeping under a clock that is a year ahead; killed, since waits fail under it."""
    with (house.folder / "log.txt").open("a") as log:
        command = ["faketime", "-f", "+1y", COMMAND, "run", "--config", house.config]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            tidied = "SELECT 1 FROM note, decision WHERE key = 'tidied' AND at > made_at + 300 * 86400 * 1000000"
            house.wait_until(lambda: bool(house.ask(tidied)), "the housekeeping")
            assert "THE CLOCK IS IN DOUBT" in house.culld("status")
            assert "the clock of this machine went from" in house.log()
        finally:
            for (told,) in house.ask("SELECT value FROM note WHERE key = 'daemon'"):
                os.kill(json.loads(told)["pid"], signal.SIGKILL)  # a child of faketime, which ends with it
            process.wait(30)
