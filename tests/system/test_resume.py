"""An archive that was interrupted: what is finished is not opened again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import factories
from harness.daemon_process import COMMAND, House

PHOTOS = 60
_OPENED = re.compile(r'open(?:at|at2)?\(.*"(?:[^"]*/)?(\d{3}\.jpg)"')


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_an_interrupted_sweep_goes_on_without_reading_what_is_finished(house: House) -> None:
    """It is killed in the middle; the second one opens the others only, and each photo is decided about once."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace (apt-get install strace)")
    for number in range(PHOTOS):
        path = house.drop(f"{number:03}.jpg", factories.encoded(factories.picture(number)))
        os.utime(path, (1e9 + 100 * number,) * 2)  # no two may be of one series, so that batches are small
    time.sleep(3.5)  # they have settled
    command = [COMMAND, "once", "--json", "--config", house.config]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        house.wait_until(lambda: len(_done(house)) > 0, "the first decisions", 60)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    finished = _done(house)
    assert 0 < len(finished) < PHOTOS

    trace = house.folder / "trace.txt"
    calls = ["strace", "-f", "-o", trace, "-e", "trace=open,openat,openat2", *command]
    subprocess.run(calls, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    opened = set(_OPENED.findall(trace.read_text(errors="replace")))
    everything = {f"{number:03}.jpg" for number in range(PHOTOS)}
    assert opened == everything - finished
    assert _done(house) == everything


def _done(house: House) -> set[str]:
    rows = house.ask("SELECT relative FROM decision WHERE state = 'done'")
    names = [os.fsdecode(relative) for (relative,) in rows]
    assert len(names) == len(set(names)), "a photo was decided about twice"
    return set(names)
