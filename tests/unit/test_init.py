"""`culld init`: the folders that it takes and refuses, the file that it writes, and the questions that it asks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml

from culld.app.init import FirstConfig, propose, write
from culld.cli import exit_codes, main
from culld.cli.init import asked_folders, is_yes
from culld.config import find_config, load_config
from culld.errors import ConfigError, SystemFaultError
from culld.records import Mode
from culld.system.photo_programs import PROGRAMS, owners

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.yaml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a user who has photos in ~/Pictures/Import, and no configuration."""
    folder = tmp_path / "ann"
    (folder / "Pictures" / "Import").mkdir(parents=True)
    for name in ("CULLD_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def imports(home: Path) -> Path:
    """The folder in which photos arrive."""
    return home / "Pictures" / "Import"


def refusals(*folders: Path, quarantine: Path | None = None) -> str:
    """Return the reasons for which no configuration is proposed."""
    with pytest.raises(ConfigError) as raised:
        propose(folders, os.environ, quarantine=quarantine)
    return str(raised.value)


class TestFile:
    """What is written, and where."""

    def test_it_is_a_configuration_that_observes_the_folder(self, home: Path, imports: Path) -> None:
        """At the place where every command looks for it."""
        write(propose([imports], os.environ), os.environ)

        config = load_config(find_config(None, os.environ), os.environ)
        assert [watch.path for watch in config.watch] == [imports]
        assert config.quarantine == home / "Pictures" / "Quarantine"
        assert config.state == home / ".local" / "state" / "culld"
        assert config.policy.mode is Mode.OBSERVE

    def test_its_thresholds_are_the_defaults(self, imports: Path) -> None:
        """Those of config.example.yaml."""
        first = propose([imports], os.environ)
        write(first, os.environ)

        written, example = (yaml.safe_load(file.read_text())["policy"]["defects"] for file in (first.file, EXAMPLE))
        assert written == example

    def test_paths_in_the_home_folder_are_written_with_a_tilde(self, imports: Path) -> None:
        """The file can be moved to another user."""
        first = propose([imports], os.environ)
        write(first, os.environ)

        assert "\n  - path: ~/Pictures/Import\n" in first.file.read_text()
        assert "\nstate: ~/.local/state/culld\n" in first.file.read_text()

    @pytest.mark.parametrize("name", ["a: b", "#1", "50%", 'the "best"', "Ärger", "- x", "a\nb", " ", "{x}", "it's"])
    def test_any_name_of_a_folder_is_read_back(self, home: Path, name: str) -> None:
        """Characters that mean something in YAML included."""
        folder = home / "Pictures" / name
        folder.mkdir()

        first = propose([folder], os.environ)
        write(first, os.environ)

        assert load_config(first.file, os.environ).watch[0].path == folder

    def test_a_name_that_is_not_utf8_is_refused(self, home: Path) -> None:
        """YAML is text."""
        folder = Path(os.fsdecode(os.fsencode(home) + b"/\xff"))
        folder.mkdir()

        first = propose([folder], os.environ)
        with pytest.raises(ConfigError, match="is not UTF-8"):
            write(first, os.environ)
        assert not first.file.exists()

    def test_no_file_is_replaced(self, imports: Path) -> None:
        """Not even if it appears after the question."""
        first = propose([imports], os.environ)
        write(first, os.environ)
        before = first.file.read_bytes()

        assert "is there already, and `culld init` replaces no file" in refusals(imports)
        with pytest.raises(SystemFaultError, match="is there already"):
            write(first, os.environ)
        assert first.file.read_bytes() == before
        assert list(first.file.parent.iterdir()) == [first.file]

    def test_a_file_that_the_loader_refuses_is_not_left_in_place(self, imports: Path, home: Path) -> None:
        """The loader has the last word."""
        wrong = FirstConfig(home / "config.yaml", (imports,), home / "Pictures" / "Quarantine", imports / "state", ())

        with pytest.raises(ConfigError, match=rf"^{wrong.file}:\d+: state: .* lies in the watched folder"):
            write(wrong, os.environ)
        assert list(home.iterdir()) == [home / "Pictures"]

    def test_the_file_may_be_named_by_option_or_variable(
        self, imports: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In this order."""
        monkeypatch.setenv("CULLD_CONFIG", str(home / "variable.yaml"))

        assert propose([imports], os.environ).file == home / "variable.yaml"
        assert propose([imports], os.environ, out=home / "option.yaml").file == home / "option.yaml"


class TestFolders:
    """Which folders can be watched."""

    def test_a_folder_must_be_there(self, imports: Path) -> None:
        """All refusals are named together."""
        (imports / "a.jpg").touch()

        assert refusals(imports / "gone", imports / "a.jpg").splitlines() == [
            "~/Pictures/Import/gone is not there; make the folder first (mkdir -p)",
            "~/Pictures/Import/a.jpg is no folder; make the folder first (mkdir -p)",
        ]

    @pytest.mark.parametrize("above", [".", "..", "../.."])
    def test_the_home_folder_and_those_above_it_are_refused(self, home: Path, above: str) -> None:
        """They hold much more than photos."""
        assert "is or holds your home folder" in refusals(home / above)

    def test_the_root_of_a_file_system_is_refused(self) -> None:
        """/proc is one on every Linux."""
        assert "/proc is the root of a file system; name a folder in it, such as /proc/Import" in refusals(
            Path("/proc")
        )

    def test_overlapping_folders_are_refused(self, imports: Path) -> None:
        """In either order, through links as well."""
        (imports / "2026").mkdir()
        link = imports.parent / "link"
        link.symlink_to(imports)

        for pair in ((imports, imports / "2026"), (imports / "2026", imports), (imports, link)):
            assert "overlap; name only one of them" in refusals(*pair)

    def test_several_folders_are_watched(self, imports: Path, home: Path) -> None:
        """Beside each other."""
        scans = home / "Scans"
        scans.mkdir()

        assert propose([imports, scans], os.environ).watched == (imports, scans)


class TestQuarantine:
    """Where rejected photos go."""

    def test_it_never_lies_in_a_watched_folder(self, home: Path) -> None:
        """Nor above one: the next place that fits is taken."""
        for name in ("Pictures/Quarantine/new", "Scans"):
            (home / name).mkdir(parents=True)

        inside = propose([home / "Pictures" / "Quarantine" / "new", home / "Scans"], os.environ)
        assert inside.quarantine == home / "Pictures" / "Quarantine" / "Quarantine"
        whole = propose([home / "Pictures", home / "Scans"], os.environ)
        assert whole.quarantine == home / "Quarantine"

    def test_a_named_one_is_taken_if_it_is_outside(self, imports: Path, home: Path) -> None:
        """The loader would allow one inside, which other programs import."""
        assert propose([imports], os.environ, quarantine=home / "bad").quarantine == home / "bad"
        assert "lies in the watched folder" in refusals(imports, quarantine=imports / "bad")
        assert "lies above the watched folder" in refusals(imports, quarantine=imports.parent)
        (home / "file").touch()
        assert "is no folder that you can make" in refusals(imports, quarantine=home / "file")

    def test_a_file_of_that_name_is_passed_over(self, imports: Path, home: Path) -> None:
        """And it stays."""
        (home / "Pictures" / "Quarantine").touch()

        assert propose([imports], os.environ).quarantine == home / "Quarantine"

    def test_one_on_another_disk_is_remarked(self, imports: Path) -> None:
        """Moves become copies there."""
        memory = Path("/dev/shm")  # noqa: S108 (only named)
        if not memory.is_dir() or memory.stat().st_dev == imports.stat().st_dev:
            pytest.skip("needs /dev/shm as another disk")

        (remark,) = propose([imports], os.environ, quarantine=memory / "culld-test").remarks
        assert remark.startswith("the quarantine is on another disk than ~/Pictures/Import")
        assert not (memory / "culld-test").exists()


class TestPhotoPrograms:
    """Folders that other programs own."""

    @pytest.mark.parametrize(
        ("program", "mark"),
        [
            ("Immich", "upload/.immich"),
            ("PhotoPrism", ".ppstorage"),
            ("Apple Photos", "Photos Library.photoslibrary/database"),
            ("Capture One", "work.cocatalog/work.cocatalogdb"),
        ],
    )
    def test_the_folder_of_a_program_that_alone_may_change_it_is_refused(
        self, imports: Path, program: str, mark: str
    ) -> None:
        """Whether its mark is in the folder, above it or one below it."""
        (imports / mark).parent.mkdir(parents=True, exist_ok=True)
        (imports / mark).touch()
        below = (imports / mark).parent / "2026"
        below.mkdir()

        for folder in (imports, below):
            assert f"cannot be watched: {program} owns it" in refusals(folder)

    @pytest.mark.parametrize(("program", "mark"), [("digiKam", "digikam4.db"), ("Lightroom", "All photos.lrcat")])
    def test_a_folder_in_a_catalog_is_remarked(self, imports: Path, program: str, mark: str) -> None:
        """A sentence says what does not protect a photo there, and another one what happens to the quarantine."""
        (imports.parent / mark).touch()

        photo, quarantine = propose([imports], os.environ).remarks
        assert photo.startswith(f"~/Pictures/Import: {program} owns it (~/Pictures/{mark}): stars ")
        assert "do not protect a photo" in photo
        assert quarantine.startswith(f"the quarantine ~/Pictures/Quarantine lies in a folder of {program}, which ")
        assert len(propose([imports], os.environ, quarantine=imports.parents[1] / "bad").remarks) == 1

    def test_a_library_beside_the_folder_does_not_own_it(self, imports: Path) -> None:
        """Many people have both in ~/Pictures."""
        (imports.parent / "Photos Library.photoslibrary").mkdir()
        (imports.parent / "Lightroom").mkdir()
        (imports.parent / "Lightroom" / "a.lrcat").touch()

        assert list(owners(imports)) == []

    def test_a_program_is_named_once(self, imports: Path) -> None:
        """With the nearest mark."""
        for folder in (imports, imports.parent):
            (folder / "digikam4.db").touch()

        assert [owner.mark for owner in owners(imports)] == [imports / "digikam4.db"]
        assert len({program.pattern for program in PROGRAMS}) == len(PROGRAMS)


def answers(*given: str) -> Callable[[str], str]:
    """Return a person who gives these answers."""
    left = iter(given)
    return lambda _: next(left)


def asked(given: Iterable[str]) -> tuple[list[Path], list[str]]:
    """Return the folders that were taken, and the sentences that were printed."""
    said: list[str] = []
    return asked_folders(answers(*given), said.append), said


class TestQuestions:
    """What is asked on a terminal."""

    def test_folders_are_asked_for_until_an_empty_answer(self, home: Path, imports: Path) -> None:
        """`~` is the home folder here as well."""
        (home / "Scans").mkdir()

        assert asked(["~/Pictures/Import", f"{home}/Scans", ""]) == ([imports, home / "Scans"], [])

    def test_a_refused_folder_is_asked_for_again(self, imports: Path) -> None:
        """With the reason."""
        found, said = asked(["~", "~/gone", "~/Pictures/Import", "~/Pictures", ""])

        assert found == [imports]
        assert ["home folder" in said[0], "is not there" in said[1], "overlap" in said[2]] == [True] * 3

    def test_the_usual_folder_is_suggested_if_it_is_there(self, imports: Path) -> None:
        """Enter takes it; without it Enter ends the questions."""
        assert asked(["", ""])[0] == [imports]
        imports.rmdir()
        assert asked([""])[0] == []

    def test_only_yes_is_yes(self) -> None:
        """Enter is no."""
        assert [is_yes(answer) for answer in ("y", "YES", "", "n", "sure")] == [True, True, False, False, False]


class TestCommand:
    """The whole command, without a terminal."""

    def test_it_writes_the_file_and_prints_the_next_commands(
        self, imports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """No line is wider than 80 characters, and the file passes the check."""
        assert main(["init", str(imports)]) == exit_codes.FINE

        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "wrote ~/.config/culld/config.yaml (observe: photos are tagged, none is moved)"
        assert [line.split("#")[0].strip() for line in lines[-3:]] == [
            "culld once",
            "culld report",
            "culld web --open",
        ]
        assert max(map(len, lines)) <= 80
        assert main(["policy", "check", str(find_config(None, os.environ))]) == exit_codes.FINE

    def test_a_file_elsewhere_is_named_in_the_next_commands(
        self, imports: Path, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Otherwise they would not find it."""
        assert main(["init", str(imports), "--out", str(home / "my culld.yaml")]) == exit_codes.FINE

        assert f"culld once --config '{home}/my culld.yaml' " in capsys.readouterr().out

    def test_without_folders_nothing_is_written(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """There is no terminal to ask on."""
        assert main(["init"]) == exit_codes.USAGE

        assert "name the folders to watch" in capsys.readouterr().err
        assert list(home.iterdir()) == [home / "Pictures"]

    def test_a_remark_needs_a_yes(self, imports: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """By the option, where no terminal is there to ask on."""
        (imports / "digikam4.db").touch()

        assert main(["init", str(imports)]) == exit_codes.USAGE
        assert not (home / ".config").exists()
        assert "note:" in capsys.readouterr().out
        assert main(["init", str(imports), "--yes"]) == exit_codes.FINE

    @pytest.mark.parametrize("command", ["status", "once", "log", "report"])
    def test_without_a_configuration_every_command_names_init(
        self, home: Path, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first thing that a new user sees."""
        if Path("/etc/culld/config.yaml").exists():
            pytest.skip("this machine has a configuration")

        assert main([command]) == exit_codes.USAGE
        assert "`culld init FOLDER` writes one" in capsys.readouterr().err
