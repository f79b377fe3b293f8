"""The service on a booted systemd: installed by its own command, used, damaged in many ways, and uninstalled.

Set CULLD_SERVICE_RESULTS to a file to have the figures of a run written there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from culld.journal.migrations import STEPS
from harness import factories
from harness.debian import COMMAND, Machine, NoMachineError, booted, missing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CONFIG = """\
watch:
  - path: /srv/photos/inbox
quarantine: /srv/photos/quarantine
state: /var/lib/culld
settle: {quiet: 500ms}
batch: {wait: 300ms}
rescan: 2s
workers: 1
limits: {time: 5s}
policy:
  mode: enforce
"""
BLURRED = [factories.encoded(factories.blurred(factories.picture(seed)), quality=85) for seed in range(8)]
WATCHDOG_S = 10
FIGURES: dict[str, str] = {}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which culld was installed as the README says, with a quarantine on a small disk of its own."""
    if why := missing():
        pytest.skip(why)
    with contextlib.ExitStack() as stack:
        try:
            machine = stack.enter_context(booted(tmp_path_factory.mktemp("machine")))
        except NoMachineError as error:
            pytest.skip(str(error))
        (machine.root / "etc/culld").mkdir()
        config(machine, CONFIG)
        for name in ("inbox", "quarantine"):
            (machine.photos / name).mkdir()
        machine.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", "/srv/photos/quarantine")
        FIGURES["install to active"] = timed(machine, COMMAND, "service", "install", "--system")
        machine.run("chown", "-R", "culld:culld", "/srv/photos")
        FIGURES["cold start to READY, empty inbox"] = timed(machine, "systemctl", "restart", "culld")
        yield machine
    if FIGURES and (file := os.environ.get("CULLD_SERVICE_RESULTS")):
        write_results(Path(file))


def config(machine: Machine, text: str) -> None:
    """Save the configuration."""
    (machine.root / "etc/culld/config.yaml").write_text(text)


@pytest.fixture
def first_config(machine: Machine) -> Iterator[None]:
    """After the test the configuration is the first one, whether the test passed or not."""
    yield
    config(machine, CONFIG)


def timed(machine: Machine, *command: str | Path) -> str:
    """Run a command; gives how long it took."""
    return timed_call(lambda: machine.run(*command))


def timed_call(call: Callable[[], object]) -> str:
    """How long something takes, as text."""
    begun = time.monotonic()
    call()
    return f"{time.monotonic() - begun:.1f} s"


def drop(machine: Machine, name: str, data: bytes) -> None:
    """A photo, put into the watched folder from outside, by its owner there."""
    file = machine.photos / "inbox" / name
    file.write_bytes(data)
    machine.run("chown", "culld:culld", f"/srv/photos/inbox/{name}")


def is_quarantined(machine: Machine, name: str) -> bool:
    """Return whether a photo is in quarantine, as the machine sees it: the host does not see that disk."""
    return (machine.root / "srv/photos/quarantine" / name).exists()


def quarantine(machine: Machine, name: str, data: bytes, seconds: float = 60) -> float:
    """Drop a photo and wait until it is in quarantine; gives the seconds."""
    drop(machine, name, data)
    return machine.wait_until(lambda: is_quarantined(machine, name), f"the quarantine of {name}", seconds)


def main_pid(machine: Machine) -> int:
    """The service's main process, as the machine numbers it; 0 if there is none."""
    return int(machine.show("MainPID"))


def processes(machine: Machine) -> dict[int, str]:
    """Its processes with their command lines: the main one, and those that it began."""
    pid = main_pid(machine)
    found = machine.run("sh", "-c", f"grep -l -E '^(PPid|Pid):.{pid}$' /proc/[0-9]*/status", check=False)
    numbers = [int(line.split("/")[2]) for line in found.split()]
    return {number: machine.run("cat", f"/proc/{number}/cmdline", check=False) for number in numbers}


def workers(machine: Machine) -> list[int]:
    """Its worker processes: those that were spawned, without Python's resource tracker."""
    return [pid for pid, command in processes(machine).items() if "spawn_main" in command]


def is_active(machine: Machine, but: int = 0) -> bool:
    """Return whether it is active, with another main process than this one."""
    return machine.show("ActiveState") == "active" and main_pid(machine) not in {0, but}


def test_it_is_active_as_its_own_user_with_a_status_line(machine: Machine) -> None:
    """Installed by one command; systemd shows the status line, and `culld service status` passes it on."""
    assert machine.show("ActiveState") == "active"
    assert machine.run("stat", "-c", "%U", f"/proc/{main_pid(machine)}").strip() == "culld"
    assert re.match(r"0 waiting; policy [0-9a-f]{12}", machine.show("StatusText"))
    assert "active (running)" in machine.run(COMMAND, "service", "status", "--system")
    assert "0 waiting; policy" in machine.run("systemctl", "status", "culld")


def test_photos_that_are_dropped_are_culled(machine: Machine) -> None:
    """From outside; the sidecar is moved with the photo, and both belong to the service's user."""
    FIGURES["drop to quarantine"] = f"{quarantine(machine, 'a.jpg', BLURRED[0]):.1f} s"

    assert is_quarantined(machine, "a.jpg.xmp")
    assert machine.run("stat", "-c", "%U", "/srv/photos/quarantine/a.jpg").strip() == "culld"
    assert "quarantine a.jpg" in machine.show("StatusText")


def test_the_journal_can_be_searched_by_photo_and_verdict(machine: Machine) -> None:
    """With the scores as fields of their own."""
    found = machine.run(
        "journalctl", "--no-pager", "--output=json", "VERDICT=quarantine", "PHOTO=/srv/photos/inbox/a.jpg"
    )
    (entry,) = map(json.loads, found.splitlines())

    assert float(entry["BLUR"]) >= 0.97
    assert entry["RULE"] == "policy.defects.blur.reject"
    assert entry["NOW"] == "/srv/photos/quarantine/a.jpg"
    assert (entry["SYSLOG_IDENTIFIER"], entry["PRIORITY"]) == ("culld", "6")


@pytest.mark.usefixtures("first_config")
def test_a_policy_is_reloaded_and_a_broken_one_is_not(machine: Machine) -> None:
    """The status line names the policy in force, and reports a broken file."""
    before = machine.show("StatusText")
    config(machine, CONFIG + "  defects: {blur: {reject: never}}\n")
    machine.run("systemctl", "reload", "culld")
    machine.wait_until(lambda: machine.show("StatusText")[:30] != before[:30], "the new policy")
    drop(machine, "tagged.jpg", BLURRED[1])
    machine.wait_until((machine.photos / "inbox/tagged.jpg.xmp").exists, "the tag")
    assert not is_quarantined(machine, "tagged.jpg")

    config(machine, CONFIG + "  defects: {blur: {reject: 7}}\n")
    machine.run("systemctl", "reload", "culld")
    machine.wait_until(lambda: "config reload failed" in machine.show("StatusText"), "the complaint")
    # The file's change is seen before the signal is: the state is "reloading" until that one is answered, too.
    machine.wait_until(lambda: is_active(machine), "the end of the reload")
    config(machine, CONFIG)
    machine.run("systemctl", "reload", "culld")
    machine.wait_until(lambda: "broken" not in machine.show("StatusText"), "the mended policy")


def test_it_comes_back_after_a_kill(machine: Machine) -> None:
    """With the journal as it was: nothing is judged twice."""
    pid = main_pid(machine)
    machine.signal(pid, "KILL")

    seconds = machine.wait_until(lambda: is_active(machine, pid), "the restart")

    FIGURES["kill -9 of the daemon, to READY again"] = f"{seconds:.1f} s (5 s of it RestartSec)"
    quarantine(machine, "killed.jpg", BLURRED[2])


@pytest.mark.parametrize(("signal", "what"), [("KILL", "kill -9 of the worker"), ("STOP", "a worker that hangs")])
def test_a_worker_that_dies_or_hangs_is_replaced(machine: Machine, signal: str, what: str) -> None:
    """The service continues, and the next photo is judged; a hanging one is ended after limits.time."""
    pid = main_pid(machine)
    (worker,) = workers(machine)
    machine.signal(worker, signal)

    seconds = quarantine(machine, f"{signal}.jpg", BLURRED[3 if signal == "KILL" else 4], 120)

    FIGURES[f"{what}, to the next photo in quarantine"] = f"{seconds:.1f} s"
    assert main_pid(machine) == pid
    assert workers(machine) != [worker]


def test_a_daemon_that_hangs_is_restarted_by_the_watchdog(machine: Machine) -> None:
    """A drop-in sets the watchdog's time, as `systemctl edit` does."""
    folder = machine.root / "etc/systemd/system/culld.service.d"
    folder.mkdir()
    (folder / "override.conf").write_text(f"[Service]\nWatchdogSec={WATCHDOG_S}\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "culld")
    pid = main_pid(machine)
    machine.signal(pid, "STOP")

    seconds = machine.wait_until(lambda: is_active(machine, pid), "the watchdog", 3 * WATCHDOG_S + 60)

    FIGURES[f"a daemon that hangs, to READY again (WatchdogSec={WATCHDOG_S})"] = f"{seconds:.1f} s"
    assert "Watchdog timeout" in machine.log()
    shutil.rmtree(folder)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "culld")


def test_a_full_quarantine_is_waited_for(machine: Machine) -> None:
    """The photo stays where it is; when there is room again, it is moved."""
    disk = machine.root / "srv/photos/quarantine"
    ballast = disk / "ballast"
    machine.run("dd", "if=/dev/zero", "of=/srv/photos/quarantine/ballast", "bs=4k", check=False)  # until it is full
    drop(machine, "full.jpg", BLURRED[5])
    machine.wait_until(lambda: "full.jpg" in machine.run(COMMAND, "status", "--config", "/etc/culld/config.yaml"),
                       "the fault")  # fmt: skip
    assert (machine.photos / "inbox/full.jpg").exists()

    ballast.unlink()

    seconds = machine.wait_until(lambda: is_quarantined(machine, "full.jpg"), "the quarantine", 150)
    FIGURES["room in the quarantine again, to the photo in it"] = f"{seconds:.1f} s (tries after 1, 2, 4 minutes)"


PAGE = """
import http.client, json, sys, uuid
link, photo = sys.argv[1:]
place, _, code = link.partition("/#login=")
page = http.client.HTTPConnection(place.removeprefix("http://"), timeout=60)
head = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}

def ask(path, body=None):
    page.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), head)
    answer = page.getresponse()
    data = answer.read()
    if "set-cookie" in answer.headers:
        head["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
    assert answer.status < 300, (path, answer.status, data)
    return json.loads(data) if data and answer.headers.get_content_type() == "application/json" else data

assert b"<!doctype html>" in ask("/").lower()
ask("/api/v1/login", {"code": code})
photos = ask("/api/v1/photos?ids=" + ",".join(map(str, range(1, 100))))["photos"]
shown = [each for each in photos if (each["name"], each["state"]) == (photo, "rejected")]
assert ask(f"/api/v1/photos/{shown[0]['id']}/thumb")[:2] == bytes([255, 216])
ask("/api/v1/wishes", {"id": str(uuid.uuid4()), "kind": "restore", "seen_count": 1,
    "items": [{"decision": shown[0]["id"], "state": "rejected"}]})
print("asked")
"""

TRIED = """
import errno, os, socket, sys
for path in sys.argv[1:]:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        print("written", path)
    except OSError as error:
        print(errno.errorcode[error.errno], path)
try:
    socket.create_connection(("127.0.0.1", 8466), timeout=5)
    print("connected")
except OSError as error:
    print("no network")
"""


def in_page(machine: Machine, script: str, *arguments: str, user: str = "culld-web") -> list[str]:
    """Run a script in the namespaces of the page's process; return the lines that it prints."""
    pid = machine.run("systemctl", "show", "--value", "--property=MainPID", "culld-web").strip()
    enter = ["nsenter", f"--target={pid}", "--mount", "--net", "--"]
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--groups=culld", "--no-new-privs"]
    return machine.run(*enter, *become, sys.executable, "-c", script, *arguments).splitlines()


def page_state(machine: Machine) -> str:
    """Whether the process of the page runs."""
    return machine.run("systemctl", "show", "--value", "--property=ActiveState", "culld-web").strip()


def ask_page(machine: Machine, photo: str) -> str:
    """Log in to the page from inside, look at a photo, and ask for its restore."""
    link = machine.run(COMMAND, "web", "--link").split()[-1]
    return machine.run(sys.executable, "-c", PAGE, link, photo)


def test_the_review_page_starts_with_a_connection_and_its_wish_is_carried_out(machine: Machine) -> None:
    """The page has a user and a sandbox of its own; the daemon does what it asks for."""
    quarantine(machine, "asked.jpg", factories.encoded(factories.blurred(factories.picture(90)), quality=85))
    machine.run(COMMAND, "service", "install", "--system", "--web")
    assert page_state(machine) == "inactive"

    FIGURES["first connection to a restore that is asked for"] = timed_call(lambda: ask_page(machine, "asked.jpg"))

    assert page_state(machine) == "active"
    seconds = machine.wait_until((machine.photos / "inbox/asked.jpg").exists, "the restore that the page asked for")
    FIGURES["from the wish to the photo back in its folder"] = f"{seconds:.1f} s"
    pid = machine.run("systemctl", "show", "--value", "--property=MainPID", "culld-web").strip()
    assert machine.run("stat", "-c", "%U", f"/proc/{pid}").strip() == "culld-web"


def test_the_page_can_change_neither_photos_nor_journal_nor_use_the_network(machine: Machine) -> None:
    """As its process, in its namespaces; the folder of wishes is the only one that it shares with the daemon."""
    machine.run("chmod", "711", "/root")  # the interpreter of this test lies below it
    closed = ["/srv/photos/inbox/asked.jpg", "/srv/photos/inbox/new.jpg"]
    closed += ["/var/lib/culld/journal.sqlite3", "/etc/culld/config.yaml"]
    wish = "/var/lib/culld/wishes/.x.part"

    by_root = in_page(machine, TRIED, *closed, user="root")  # the sandbox alone: root has every right to these files
    by_page = in_page(machine, TRIED, *closed, wish)

    assert by_root == [*(f"EROFS {path}" for path in closed), "no network"]
    assert [line.split()[0] in {"EROFS", "EACCES"} for line in by_page[:4]] == [True] * 4
    assert by_page[4:] == [f"written {wish}", "no network"]


def test_the_page_ends_when_nobody_looks_and_comes_back(machine: Machine) -> None:
    """With a short idle time; systemd keeps the address."""
    folder = machine.root / "etc/systemd/system/culld-web.service.d"
    folder.mkdir()
    command = f"{COMMAND} web --config /etc/culld/config.yaml --idle 2s"
    (folder / "override.conf").write_text(f"[Service]\nExecStart=\nExecStart={command}\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "stop", "culld-web.service")
    quarantine(machine, "again.jpg", factories.encoded(factories.blurred(factories.picture(91)), quality=85))

    ask_page(machine, "again.jpg")

    machine.wait_until(lambda: page_state(machine) == "inactive", "the end of the page")
    assert machine.run("systemctl", "show", "--value", "--property=Result", "culld-web").strip() == "success"
    assert machine.run("systemctl", "is-active", "culld-web.socket").strip() == "active"
    machine.wait_until((machine.photos / "inbox/again.jpg").exists, "the second restore")
    shutil.rmtree(folder)
    machine.run("systemctl", "daemon-reload")


def test_it_stops_in_time_under_load(machine: Machine) -> None:
    """The batch in hand is finished; what is left is judged after the next start."""
    for number in range(40):
        (machine.photos / "inbox" / f"load-{number}.jpg").write_bytes(factories.encoded(factories.picture(number)))
    machine.run("chown", "-R", "culld:culld", "/srv/photos/inbox")
    machine.wait_until(lambda: "load-" in machine.show("StatusText"), "the load")

    FIGURES["stop under load"] = timed(machine, "systemctl", "stop", "culld")

    assert machine.show("Result") == "success"
    machine.run("systemctl", "start", "culld")
    machine.wait_until(lambda: machine.show("StatusText").startswith("0 waiting"), "the rest")


def test_a_journal_of_an_older_culld_is_taken_over(machine: Machine, tmp_path: Path) -> None:
    """As after an upgrade in place; what was restored stays restored."""
    machine.run("systemctl", "stop", "culld")
    state = machine.root / "var/lib/culld"
    for file in state.glob("journal.sqlite3*"):
        file.unlink()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as db:
        for step in STEPS[:2]:
            db.executescript(step)
        db.execute("INSERT INTO restored VALUES ('ab', 1)")
        db.execute("PRAGMA user_version = 2")
        db.commit()
    shutil.copy(tmp_path / "journal.sqlite3", state)
    machine.run("chown", "-R", "culld:culld", "/var/lib/culld")

    FIGURES["start with a journal of the version before"] = timed(machine, "systemctl", "start", "culld")

    quarantine(machine, "upgraded.jpg", BLURRED[6])
    for file in state.glob("journal.sqlite3*"):
        shutil.copy(file, tmp_path)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert db.execute("SELECT digest FROM restored").fetchall() == [("ab",)]


def test_it_is_quiet_when_there_is_nothing_to_do(machine: Machine) -> None:
    """Processor, wake-ups and memory are figures, not bars: machines differ."""
    config(machine, CONFIG.replace("rescan: 2s", "rescan: 1m").replace("workers: 1", "workers: 2"))
    machine.run("systemctl", "restart", "culld")
    for number in range(8):
        drop(machine, f"idle-{number}.jpg", factories.encoded(factories.picture(100 + number, (3000, 2000))))
    machine.wait_until(lambda: "idle-" in machine.show("StatusText"), "the work of both workers")
    machine.wait_until(lambda: machine.show("StatusText").startswith("0 waiting"), "the rest")
    time.sleep(5)
    before, woken = processor_s(machine), wakeups(machine)
    time.sleep(30)
    used = (processor_s(machine) - before) / 30

    FIGURES["idle: share of one core, with a rescan every minute"] = f"{used:.2%}"
    FIGURES["idle: wake-ups a minute"] = f"{2 * (wakeups(machine) - woken)}"
    FIGURES["memory of all processes (PSS), with two workers"] = f"{memory_mb(machine):.0f} MB"
    assert machine.show("ActiveState") == "active"


def processor_s(machine: Machine) -> float:
    """Seconds of processor time that its threads have used, by the scheduler's own count."""
    files = " ".join(f"/proc/{pid}/task/*/schedstat" for pid in processes(machine))
    lines = machine.run("sh", "-c", f"cat {files}", check=False).splitlines()
    return sum(int(line.split()[0]) for line in lines) / 1e9


def memory_mb(machine: Machine) -> float:
    """Return the memory of its processes in MB, each shared page counted once."""
    files = " ".join(f"/proc/{pid}/smaps_rollup" for pid in processes(machine))
    return sum(map(int, re.findall(r"^Pss:\s+(\d+) kB$", machine.run("sh", "-c", f"cat {files}"), re.MULTILINE))) / 1e3


def wakeups(machine: Machine) -> int:
    """Return the voluntary context switches of its threads, which are its wake-ups."""
    files = " ".join(f"/proc/{pid}/task/*/status" for pid in processes(machine))
    text = machine.run("sh", "-c", f"cat {files}", check=False)
    return sum(map(int, re.findall(r"^voluntary_ctxt_switches:\s+(\d+)$", text, re.MULTILINE)))


def test_one_user_has_a_separate_culld(machine: Machine) -> None:
    """The user unit, in the user's service manager, for folders in the user's home; it runs without a login."""
    machine.run("useradd", "--create-home", "ann")
    machine.run("chmod", "711", "/root")  # the interpreter of this test lies below it
    machine.run("loginctl", "enable-linger", "ann")
    user = machine.run("id", "-u", "ann").strip()
    manager = machine.root / "run" / "user" / user / "systemd" / "private"
    machine.wait_until(manager.exists, "her service manager")
    environ = ["env", "HOME=/home/ann", f"XDG_RUNTIME_DIR=/run/user/{user}", "USER=ann"]

    def as_ann(*command: str | Path) -> str:
        return machine.run("runuser", "-u", "ann", "--", *environ, *command)

    as_ann("mkdir", "-p", "/home/ann/.config/culld", "/home/ann/Pictures/Import")
    text = CONFIG.replace("/srv/photos/inbox", "~/Pictures/Import").replace("/srv/photos", "~/Pictures")
    (machine.root / "home/ann/.config/culld/config.yaml").write_text(text.replace("state: /var/lib/culld\n", ""))
    FIGURES["install for one person, to active"] = timed_call(lambda: as_ann(COMMAND, "service", "install", "--user"))

    home = machine.root / "home/ann/Pictures"
    (home / "Import/a.jpg").write_bytes(BLURRED[0])
    machine.run("chown", "ann:ann", "/home/ann/Pictures/Import/a.jpg")
    machine.wait_until((home / "quarantine/a.jpg").exists, "the quarantine")
    assert "active (running)" in as_ann(COMMAND, "service", "status", "--user")
    assert "1 quarantine" in as_ann(COMMAND, "status")
    assert "restored" in as_ann(COMMAND, "restore", "--all")
    as_ann(COMMAND, "service", "uninstall", "--user")
    assert not (machine.root / "home/ann/.config/systemd/user/culld.service").exists()
    machine.run("loginctl", "disable-linger", "ann")
    machine.wait_until(lambda: not manager.exists(), "the end of her service manager")
    machine.run("userdel", "--remove", "ann", check=False)


def test_a_second_library_is_a_service_of_its_own(machine: Machine) -> None:
    """With its configuration, its folders and its journal; taking it away leaves the first as it is."""
    (machine.photos / "second").mkdir()
    text = CONFIG.replace("/srv/photos/inbox", "/srv/photos/second").replace("state: /var/lib/culld", "state: auto")
    (machine.root / "etc/culld/second.yaml").write_text(text.replace("photos/quarantine", "photos/second-quarantine"))
    machine.run("mkdir", "/srv/photos/second-quarantine")
    machine.run("chown", "culld:culld", "/srv/photos/second", "/srv/photos/second-quarantine")
    machine.run(COMMAND, "service", "install", "--system", "--library", "second")

    (machine.photos / "second" / "b.jpg").write_bytes(BLURRED[7])
    machine.run("chown", "culld:culld", "/srv/photos/second/b.jpg")
    machine.wait_until((machine.photos / "second-quarantine" / "b.jpg").exists, "the second library's quarantine")

    assert (machine.root / "var/lib/culld/second/journal.sqlite3").exists()
    machine.run(COMMAND, "service", "uninstall", "--system", "--library", "second")
    assert machine.show("ActiveState") == "active"
    machine.run("rm", "-r", "/var/lib/culld/second", "/etc/culld/second.yaml")


def test_nothing_but_photos_configuration_and_state_is_left(machine: Machine) -> None:
    """The last test: culld is taken away by its own command."""
    photos = {path.name for path in (machine.photos / "inbox").iterdir()}
    said = machine.run(COMMAND, "service", "uninstall", "--system")

    assert "remove  /etc/systemd/system/culld.service" in said
    assert machine.show("LoadState") == "not-found"
    left = machine.run("find", "/etc", "/usr", "/var", "/run", "-xdev", "-name", "*culld*").split()
    assert sorted(left) == ["/etc/culld", "/var/cache/culld-web", "/var/lib/culld"]
    assert {path.name for path in (machine.photos / "inbox").iterdir()} == photos
    assert machine.run(COMMAND, "service", "uninstall", "--system", "--dry-run")


def write_results(file: Path) -> None:
    """The figures of a run as a table."""
    rows = [f"| {name} | {value} |" for name, value in FIGURES.items()]
    told = "Written by `make service-test`: a small Debian, booted by systemd-nspawn on two cores; one run."
    file.write_text("\n".join(["# culld as a service", "", told, "", "| what | figure |", "| --- | --- |", *rows, ""]))
