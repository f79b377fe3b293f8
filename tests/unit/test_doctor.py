"""The doctor: its checks, their results, and the advice that they print."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from culld.app.init import propose
from culld.cli import build_parser
from culld.cli import doctor as command
from culld.errors import ConfigError, SystemFaultError
from culld.files import mounts
from culld.files.locks import lock_holder, state_lock
from culld.files.mounts import Mount
from culld.files.rename_noreplace import Way
from culld.files.trial import FolderAbilities
from culld.system.doctor import environment, folders, libraries
from culld.system.doctor.checks import Check, Health, ok
from culld.system.doctor.extras import EXTRAS, extras, packages_of

MOUNTINFO = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /mnt/nas rw,relatime shared:9 master:2 - nfs4 server:/photos rw,vers=4.2
31 30 8:17 / /mnt/nas/fast rw,relatime - xfs /dev/sdb1 rw
32 21 0:41 / /mnt/my\\040photos\\134x rw - fuse.sshfs me@host:/ rw
33 21 8:18 / /data rw - ext4 /dev/sdc1 rw
34 21 0:42 / /data rw - cifs //server/share rw
a line that says nothing
"""
MOUNTS = mounts.parse(MOUNTINFO)


def nobody_may(path: Path, rights: int) -> bool:
    """A process that may nothing."""
    return False


def all_but(closed: Path, rights_missing: int) -> Callable[[Path, int], bool]:
    """A process that may everything except these rights to one path."""

    def may(path: Path, rights: int) -> bool:
        return path != closed or not rights & rights_missing

    return may


class TestMounts:
    """Which file system a path lies on."""

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/home/ann", ("ext4", False)),
            ("/mnt/nas/2026", ("nfs4", True)),
            ("/mnt/nas", ("nfs4", True)),
            ("/mnt/nasty", ("ext4", False)),
            ("/mnt/nas/fast/a", ("xfs", False)),
            ("/mnt/my photos\\x/a", ("fuse.sshfs", True)),
            ("/data/a", ("cifs", True)),
        ],
    )
    def test_the_deepest_and_last_mount_counts(self, path: str, expected: tuple[str, bool]) -> None:
        """A mount hides what lay at its place before, and names are unescaped."""
        mount = mounts.mount_of(Path(path), MOUNTS)

        assert mount is not None
        assert (mount.kind, mount.is_remote) == expected

    def test_folders_on_shares_are_distinguished(self, tmp_path: Path) -> None:
        """They are searched by the timer, and their files wait for longer."""
        table = tmp_path / "mountinfo"
        table.write_text(MOUNTINFO)
        near, away = Path("/home/ann"), Path("/mnt/nas/2026")

        assert mounts.remote_roots([near, away], table) == {away}
        assert mounts.remote_roots([near, away], tmp_path / "none") == set()

    def test_a_path_below_no_mount_is_not_guessed_at(self) -> None:
        """In an empty table nothing is found."""
        assert mounts.mount_of(Path("/a"), mounts.parse("")) is None

    def test_the_table_of_this_machine_is_understood(self) -> None:
        """The running kernel's own table has a root."""
        assert mounts.mount_of(Path("/"), mounts.parse(mounts.MOUNTINFO.read_text())) is not None


class TestFolders:
    """Whether culld can work in the configured folders."""

    def test_a_folder_that_is_open_is_fine(self, tmp_path: Path) -> None:
        """Nothing is to be done."""
        check = folders.watched(tmp_path, "ann")

        assert check == Check(f"watched folder {tmp_path}", Health.OK, "can be read and written by ann")

    def test_a_missing_folder_is_waited_for(self, tmp_path: Path) -> None:
        """It is worth knowing, and no fault: a disk may come later."""
        check = folders.watched(tmp_path / "my photos", "ann")

        assert check.health is Health.WARN
        assert check.fix == f"mkdir -p '{tmp_path}/my photos'"

    @pytest.mark.parametrize(
        ("missing", "expected"),
        [
            (os.R_OK, "cannot be listed by ann"),
            (os.W_OK, "cannot be written to by ann"),
            (os.X_OK, "cannot be entered by ann"),
            (os.W_OK | os.X_OK, "cannot be written to or entered by ann"),
        ],
    )
    def test_a_right_that_is_missing_is_named_with_the_command_that_gives_it(
        self, tmp_path: Path, missing: int, expected: str
    ) -> None:
        """Access lists give culld its rights and leave those of other users."""
        check = folders.watched(tmp_path, "ann", all_but(tmp_path, missing))

        assert (check.health, check.what) == (Health.BAD, expected)
        assert check.fix == f"sudo setfacl -R -m u:ann:rwX,d:u:ann:rwX {tmp_path}"

    def test_a_survey_counts_all_folders_and_names_the_closed_ones(self, tmp_path: Path) -> None:
        """Links are not followed, so a link to above ends nothing and counts nothing."""
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "c").mkdir()
        (tmp_path / "photo.jpg").touch()
        (tmp_path / "a" / "up").symlink_to(tmp_path)

        found = folders.survey_tree(tmp_path, all_but(tmp_path / "c", os.W_OK))

        assert found == folders.Survey(4, (tmp_path / "c",))
        check = folders.below(tmp_path, found, "ann")
        assert (check.health, check.what) == (Health.WARN, f"1 of 4 folders are closed to ann, first {tmp_path}/c")

    def test_an_open_tree_is_fine(self, tmp_path: Path) -> None:
        """The watched folder itself counts as one."""
        check = folders.below(tmp_path, folders.survey_tree(tmp_path), "ann")

        assert (check.health, check.what) == (Health.OK, "1 folders, all open to ann")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
    def test_the_kernel_is_asked(self, tmp_path: Path) -> None:
        """A folder that this very process may not write to is found to be so."""
        tmp_path.chmod(0o500)
        health = folders.watched(tmp_path, "me").health
        tmp_path.chmod(0o700)

        assert health is Health.BAD

    def test_a_quarantine_that_can_be_made_is_fine(self, tmp_path: Path) -> None:
        """It reports whether photos will be copied."""
        check = folders.quarantine(tmp_path / "q" / "r", [tmp_path / "photos"], "ann")

        assert check.health is Health.OK
        assert check.what == "will be created, on the same disk as the watched folders"

    def test_a_quarantine_on_another_disk_is_reported(self, tmp_path: Path) -> None:
        """Moves there are copies, which take longer."""
        check = folders.quarantine(tmp_path, [Path("/proc")], "ann")

        assert check.what == "exists, on another disk than /proc: photos from there are copied and verified"

    def test_a_quarantine_that_cannot_be_is_bad(self, tmp_path: Path) -> None:
        """A file in its place, or no right to make it."""
        (tmp_path / "file").touch()

        in_its_place = folders.quarantine(tmp_path / "file", [], "ann")
        no_right = folders.quarantine(tmp_path / "q", [], "ann", nobody_may)

        assert (in_its_place.health, in_its_place.what) == (Health.BAD, "is a file")
        assert no_right.what == f"{tmp_path} cannot be written to by ann"
        assert no_right.fix == f"sudo install -d -o ann -m 0750 {tmp_path}/q"

    def test_changes_and_moves_are_tried_for_real_and_leave_nothing(self, tmp_path: Path) -> None:
        """On files of culld's own, in the watched folder and into the quarantine."""
        for name in ("in", "q"):
            (tmp_path / name).mkdir()

        assert folders.changes(tmp_path / "in").health is Health.OK
        assert folders.moves(tmp_path / "in", tmp_path / "q").what == "tried: renamed"
        assert [list((tmp_path / name).iterdir()) for name in ("in", "q")] == [[], []]

    def test_a_file_system_with_limits_is_reported_with_them(self, tmp_path: Path) -> None:
        """As on a FUSE file system of a server that is elsewhere."""
        check = folders.changes(tmp_path, lambda _: FolderAbilities(Way.CLAIM, exchanges=False, leases=False))

        assert check.health is Health.OK
        assert "a reserved name" in check.what
        assert "cannot be exchanged" in check.what
        assert "does not report writers" in check.what

    def test_a_trial_that_fails_is_bad_and_has_a_reason(self, tmp_path: Path) -> None:
        """With the reason that a photo's fault would have."""
        (tmp_path / "file").touch()

        for check in (folders.changes(tmp_path / "gone"), folders.moves(tmp_path, tmp_path / "file")):
            assert (check.health, check.what.startswith("tried, and failed: ")) == (Health.BAD, True)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_a_journal_must_lie_on_a_local_disk_that_can_be_written(self, tmp_path: Path) -> None:
        """SQLite's log is not safe on a share."""
        local = [Mount(Path("/"), "ext4")]

        assert folders.state(tmp_path / "s", local, "ann").what == "will be created"
        assert folders.state(tmp_path, local, "ann").what == "exists"
        assert folders.state(tmp_path, local, "ann", nobody_may).health is Health.BAD
        remote = folders.state(Path("/mnt/nas/state"), MOUNTS, "ann")
        assert (remote.health, remote.what) == (Health.BAD, "lies on nfs4, where a journal is not safe")

    @pytest.mark.parametrize(
        ("path", "health"), [("/home/ann", Health.OK), ("/mnt/nas/a", Health.WARN), ("/mnt/my photos\\x", Health.WARN)]
    )
    def test_a_file_system_with_incomplete_events_is_worth_knowing(self, path: str, health: Health) -> None:
        """On shares and FUSE only the timer finds what others change."""
        assert folders.file_system(Path(path), MOUNTS).health is health

    def test_an_unknown_file_system_is_worth_knowing(self) -> None:
        """Nothing is claimed of it."""
        assert folders.file_system(Path("/a"), []).health is Health.WARN

    @pytest.mark.parametrize(
        ("free", "health"), [(10**12, Health.OK), (999_999_999, Health.WARN), (49_999_999, Health.BAD), (0, Health.BAD)]
    )
    def test_space_is_judged_before_it_is_gone(self, tmp_path: Path, free: int, health: Health) -> None:
        """A full disk stops all moves."""
        assert folders.space(tmp_path, free).health is health

    def test_free_space_is_that_of_the_nearest_folder_that_is_there(self, tmp_path: Path) -> None:
        """A quarantine that is not made yet has a disk all the same."""
        assert folders.free(tmp_path / "a" / "b") > 0
        assert folders.device(tmp_path / "a" / "b") == tmp_path.stat().st_dev


class TestLibraries:
    """Folders that belong to photo programs: the words are those of `culld init`."""

    def test_a_folder_of_no_program_is_fine(self, tmp_path: Path) -> None:
        """One check for the folder, and none for the quarantine, which has a check of its own."""
        (check,) = libraries.watched_library(tmp_path)

        assert (check.health, check.fix) == (Health.OK, "")
        assert list(libraries.quarantine_library(tmp_path)) == []

    @pytest.mark.parametrize(
        ("program", "mark"),
        [("Immich", "upload/.immich"), ("PhotoPrism", ".ppstorage"), ("Capture One", "a.cocatalog/a")],
    )
    def test_a_folder_that_a_program_alone_may_change_is_bad(self, tmp_path: Path, program: str, mark: str) -> None:
        """`culld init` refuses it for the same reason."""
        (tmp_path / mark).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / mark).touch()

        (check,) = libraries.watched_library(tmp_path)
        assert (check.health, check.fix) == (Health.BAD, "watch a folder from which it imports")
        with pytest.raises(ConfigError) as refused:
            propose([tmp_path], {"HOME": "/home/ann"}, out=tmp_path / "culld.yaml", quarantine=tmp_path.parent / "q")
        assert str(refused.value) == f"{tmp_path} {check.what}; {check.fix}"

    @pytest.mark.parametrize(("program", "mark"), [("digiKam", "digikam4.db"), ("Lightroom", "a.lrcat")])
    def test_a_folder_in_a_catalog_is_warned_of(self, tmp_path: Path, program: str, mark: str) -> None:
        """With the sentence that `culld init` prints as a note."""
        (tmp_path / mark).touch()
        folder = tmp_path / "Import"
        folder.mkdir()

        (check,) = libraries.watched_library(folder)
        assert check.health is Health.WARN
        (note, _) = propose([folder], {"HOME": "/home/ann"}, out=tmp_path / "culld.yaml").remarks
        assert note == f"{folder}: {check.what}"

    def test_a_quarantine_in_a_library_is_warned_of(self, tmp_path: Path) -> None:
        """Also one that is not made yet."""
        (tmp_path / ".immich").touch()

        (check,) = libraries.quarantine_library(tmp_path / "a" / "Quarantine")
        assert check.health is Health.WARN
        assert check.what == (
            f"lies in a folder of Immich, which may import the rejected photos again ({tmp_path}/.immich)"
        )


class TestMachine:
    """Whether the machine has what culld needs."""

    @pytest.mark.parametrize(
        ("count", "limit", "health"),
        [(100, 8192, Health.OK), (6553, 8192, Health.OK), (6554, 8192, Health.WARN), (1, None, Health.WARN)],
    )
    def test_the_watch_limit_is_reported_before_it_is_reached(
        self, count: int, limit: int | None, health: Health
    ) -> None:
        """Other programs take from it too, so it warns from four fifths on."""
        assert environment.watches(count, limit).health is health

    def test_the_mended_watch_limit_has_room_for_twice_as_many(self) -> None:
        """And it is never set below what desktops set it to."""
        assert "max_user_watches=524288 |" in environment.watches(9000, 8192).fix
        assert "max_user_watches=2000000 |" in environment.watches(1_000_000, 8192).fix

    def test_a_number_is_read_or_not_known(self, tmp_path: Path) -> None:
        """Whatever stands in the file, nothing is raised."""
        (tmp_path / "n").write_text("8192\n")
        (tmp_path / "words").write_text("many\n")

        assert [environment.number(tmp_path / name) for name in ("n", "words", "none")] == [8192, None, None]

    def test_an_old_python_is_bad(self) -> None:
        """The versions that culld is made for are fine."""
        assert environment.python((3, 10, 9)).health is Health.BAD
        assert environment.python((3, 11, 0)).health is Health.OK

    def test_a_library_that_is_missing_is_named_with_its_command(self) -> None:
        """The others show their versions."""

        def version(name: str) -> str:
            if name == "pyyaml":
                raise PackageNotFoundError(name)
            return "1.2"

        missing, good = environment.libraries(lambda _: ["rich>=14", "pyyaml>=6.0.2"], version)

        assert good == Check("rich", Health.OK, "1.2")
        assert missing.health is Health.BAD
        assert missing.fix.endswith(" -m pip install pyyaml")

    def test_the_libraries_are_those_that_the_package_requires(self) -> None:
        """Without those of extras, and without HEIC, which has a check of its own."""
        told = ["apscheduler<4,>=3.11", "ai-edge-litert>=2.1", "pillow-heif>=1.1", "rawpy>=0.24; extra == 'raw'"]

        assert environment.required(told) == ["ai-edge-litert", "apscheduler"]

    def test_this_culld_knows_its_libraries(self) -> None:
        """By what pip noted when it was installed; each is here, or no test would run."""
        found = {check.name: check.health for check in environment.libraries()}

        assert set(found.values()) == {Health.OK}
        assert {"pydantic", "pillow", "watchdog"} <= found.keys()
        assert not {"tensorflow", "rawpy", "pillow-heif"} & found.keys()

    def test_a_culld_that_pip_does_not_know_is_reported(self) -> None:
        """A source tree without metadata of an installation."""

        def requirements(name: str) -> list[str]:
            raise PackageNotFoundError(name)

        (check,) = environment.libraries(requirements)

        assert (check.name, check.health) == ("libraries", Health.WARN)

    def test_heic_is_wanted_more_than_other_formats(self) -> None:
        """Phones write it; without its decoder such photos stay where they are."""
        assert environment.heic(lambda _: False).health is Health.WARN
        assert environment.heic(lambda _: True).health is Health.OK

    def test_an_extra_that_is_missing_is_a_note_with_the_command_that_installs_it(self) -> None:
        """Culling needs none of them."""
        told = [
            "rich>=14",
            "rawpy>=0.24; extra == 'raw'",
            "starlette>=1; extra == 'web'",
            "uvicorn; extra == 'web'",
        ]
        found = {check.name: check for check in extras(lambda name: name == "av", lambda _: told)}

        assert found["extra video"] == ok("extra video", "installed")
        assert found["extra raw"].health is Health.NOTE
        assert found["extra raw"].fix.endswith(" -m pip install 'rawpy>=0.24'")
        assert found["extra web"].fix.endswith(" -m pip install 'starlette>=1' 'uvicorn'")

    def test_every_extra_of_this_culld_is_known(self) -> None:
        """By what pip noted when it was installed."""
        declared = set(importlib.metadata.metadata("culld").get_all("Provides-Extra") or ())

        assert {extra.name for extra in EXTRAS} == declared - {"all"}
        assert all(packages_of(extra.name, importlib.metadata.requires) for extra in EXTRAS)

    def test_a_source_tree_names_the_extra(self) -> None:
        """There are no requirements to read."""

        def requirements(name: str) -> list[str]:
            raise PackageNotFoundError(name)

        assert packages_of("raw", requirements) == ["culld[raw]"]

    def test_the_engine_is_reported_with_its_reason(self) -> None:
        """And a warning given if it is not the one that was asked for."""
        assert environment.engine("auto", "litert", "there is no GPU") == ok("engine", "litert, for there is no GPU")
        assert environment.engine("litert", "litert", "model.engine is litert").health is Health.OK
        assert environment.engine("tensorflow", "litert", "TensorFlow is not installed").health is Health.WARN

    @pytest.mark.parametrize(
        ("modules", "expected"), [({"tensorflow"}, "TensorFlow is installed"), (set(), "lets culld use it")]
    )
    def test_a_gpu_is_reported_with_its_use(self, modules: set[str], expected: str, tmp_path: Path) -> None:
        """Culling needs none."""
        (tmp_path / "nvidia0").touch()

        found = environment.gpu([tmp_path / "nvidia0", tmp_path / "other"], lambda name: name in modules)
        assert found.health is Health.OK
        assert expected in found.what
        assert "none found" in environment.gpu([tmp_path / "other"]).what

    def test_a_clock_that_stands_before_the_installation_is_wrong(self) -> None:
        """For example a small computer without a battery."""
        noon = datetime(2026, 5, 1, 12, tzinfo=UTC)

        assert environment.clock(noon, noon.timestamp() + 3600).health is Health.OK
        wrong = environment.clock(noon, noon.timestamp() + 200_000)
        assert wrong.health is Health.WARN
        assert "timedatectl" in wrong.fix

    def test_a_daemon_that_runs_is_found_by_its_lock(self, tmp_path: Path) -> None:
        """And not disturbed."""
        assert lock_holder(tmp_path) == ""
        with state_lock(tmp_path):
            assert lock_holder(tmp_path) == str(os.getpid())
        assert lock_holder(tmp_path) == ""
        assert environment.instance("12").what == "runs as process 12"

    def test_modules_are_found_without_an_import(self) -> None:
        """A module that is there, and one that is not."""
        assert (environment.has_module("json"), environment.has_module("no_module_of_this_name")) == (True, False)

    def test_a_model_that_does_not_load_is_bad_with_its_reason(self) -> None:
        """The reason is that of the model's error."""

        def broken() -> str:
            raise SystemFaultError("the card does not fit")

        assert environment.model(lambda: "defects-1@abc").what == "defects-1@abc loads and answers"
        check = environment.model(broken)
        assert (check.health, check.what) == (Health.BAD, "the card does not fit")


def parsed(*arguments: str) -> argparse.Namespace:
    """The arguments of `culld doctor`."""
    return build_parser(["doctor"]).parse_args(["doctor", *arguments])


class TestCommand:
    """What `culld doctor` prints, and its exit code."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Path:
        """A configuration whose model is not there."""
        (tmp_path / "in").mkdir()
        file = tmp_path / "config.yaml"
        file.write_text("watch: [{path: in}]\nquarantine: q\nstate: s\nmodel: {path: none}\n")
        return file

    def test_every_folder_is_checked_and_the_worst_result_decides(
        self, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One missing model makes the exit code 3, and the advice is printed under it."""
        arguments = parsed("--config", str(config), "--verbose")

        assert command.run(arguments) == 3
        printed = capsys.readouterr().out
        assert f"ok   watched folder {tmp_path}/in: can be read and written" in printed
        assert f"ok   changes in {tmp_path}/in: tried: " in printed
        assert f"ok   quarantine {tmp_path}/q: will be created" in printed
        assert printed.startswith("BAD  model: there is no model with a card.json")
        assert "     fix: set model.path to a folder" in printed
        assert not (tmp_path / "q").exists()
        assert not (tmp_path / "s").exists()

    def test_a_library_of_a_photo_program_is_reported(
        self, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Of the watched folder and of the quarantine beside it."""
        (tmp_path / "digikam4.db").touch()
        command.run(parsed("--config", str(config)))

        printed = capsys.readouterr().out
        assert f"photo programs {tmp_path}/in: digiKam owns it ({tmp_path}/digikam4.db)" in printed
        assert f"quarantine {tmp_path}/q: lies in a folder of digiKam, which may import" in printed

    def test_what_is_fine_is_one_line(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """After the problems, which need attention."""
        command.run(parsed("--config", str(config)))

        lines = capsys.readouterr().out.splitlines()
        assert [line[:4] for line in lines].count("ok  ") == 1
        assert lines[-1].endswith("`culld doctor --verbose` prints each")

    def test_json_is_one_object_a_line(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """For other programs to read."""
        arguments = parsed("--json", "--config", str(config))
        command.run(arguments)

        checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {frozenset(check) for check in checks} == {frozenset({"name", "health", "what", "fix"})}
        assert [check["name"] for check in checks if check["health"] == "bad"] == ["model"]
        assert all(check["fix"] for check in checks if check["health"] != "ok")

    def test_a_broken_configuration_is_reported_problem_by_problem(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each problem is a check of its own, and folders are not guessed at."""
        file = tmp_path / "config.yaml"
        file.write_text("watch: 3\nrescan: 4\n")
        arguments = parsed("--config", str(file))

        assert command.run(arguments) == 3
        bad = [line for line in capsys.readouterr().out.splitlines() if line.startswith("BAD")]
        assert [line.split(": ")[2] for line in bad] == ["watch", "quarantine", "rescan"]


WITHOUT = """
import importlib.metadata, sys
real = importlib.metadata.version
def version(name):
    if name.lower() == {distribution!r}:
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)
importlib.metadata.version = version
sys.modules[{module!r}] = None
from culld.cli import main
sys.exit(main(["doctor"]))
"""


@pytest.mark.parametrize(
    ("distribution", "module"), [("pillow", "PIL"), ("numpy", "numpy"), ("pyyaml", "yaml"), ("pydantic", "pydantic")]
)
def test_doctor_names_a_missing_library(distribution: str, module: str) -> None:
    """The command itself must not need what it checks."""
    code = WITHOUT.format(distribution=distribution, module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "Traceback" not in done.stderr
    assert any(line.startswith("BAD") and distribution in line.lower() for line in done.stdout.splitlines())
