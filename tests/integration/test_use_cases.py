"""The use cases that only read, called with typed requests and results as the command line calls them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from culld.app.decisions import LogRequest, explain_decision, past_decisions
from culld.app.model_files import resolve_policies
from culld.app.rebuild import rebuild_journal
from culld.app.report import LEAST_ANSWERS, SuggestRequest, report_rejects, suggest_thresholds
from culld.app.resume import release_brake
from culld.app.startup import JOURNAL, open_journal_without_replay, require_quarantine
from culld.app.status import WatchedFolder, daemon_status
from culld.config import Config, load_config
from culld.errors import SystemFaultError
from culld.quarantine.apply import PlanApplier
from culld.records import Defect, RootedPath, Verdict
from culld.stages.decide.feedback import Feedback
from harness import quarantined

PHOTO = b"\xff\xd8 a photo"
CONFIG = "watch: [{path: inbox}]\nquarantine: quarantine\nstate: state\n"


@dataclass(frozen=True)
class House:
    """A configuration with its folders."""

    file: Path

    @property
    def config(self) -> Config:
        """Return the configuration of the file."""
        return load_config(self.file, {})

    @property
    def photo(self) -> RootedPath:
        """The original path of the photo."""
        return RootedPath(self.file.parent / "inbox", Path("2026/a.jpg"))

    def begin(self) -> None:
        """Run culld once, with nothing to do."""
        open_journal_without_replay(self.config).close()

    def reject(self) -> None:
        """Put the photo into quarantine, through the journal."""
        found = quarantined.stack(quarantined.put(self.photo, PHOTO))
        plan = quarantined.rejection(found, self.config.quarantine)
        with open_journal_without_replay(self.config) as journal:
            require_quarantine(self.config, journal)
            with journal.intend([plan]) as intent:
                assert intent.close(PlanApplier().apply(plan)).fault is None


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty one, in which culld has not run yet."""
    for name in ("inbox", "quarantine"):
        (tmp_path / name).mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    return House(tmp_path / "config.yaml")


def test_nothing_can_be_asked_before_culld_has_run(house: House) -> None:
    """No use case that only asks makes a journal."""
    for ask in (
        lambda: daemon_status(house.file, {}),
        lambda: past_decisions(house.config.state, LogRequest(50)),
        lambda: explain_decision(house.config, house.photo.path),
        lambda: report_rejects(house.config.state, None),
        lambda: suggest_thresholds(house.config, SuggestRequest(0.98)),
    ):
        with pytest.raises(SystemFaultError):
            ask()
    assert not house.config.state.exists()


def test_the_status_of_a_daemon_that_does_not_run_has_the_configured_folders(house: House) -> None:
    """A folder that is not there is offline, with the reason."""
    house.begin()
    (house.file.parent / "inbox").rmdir()
    status = daemon_status(house.file, {})

    assert (status.state, status.pid, status.waiting, status.last) == ("stopped", None, 0, ())
    assert status.watched == (WatchedFolder(str(house.photo.root), online=False),)
    assert (status.quarantine, list(status.offline)) == (str(house.config.quarantine), [str(house.photo.root)])
    assert (status.policy_problem, status.brake, status.clock) == (None, None, None)


def test_a_configuration_with_mistakes_is_shown_in_the_status(house: House) -> None:
    """The folders are then those that the daemon reported; this one reported none."""
    house.begin()
    house.file.write_text(CONFIG + "policy: {mode: sometimes}\n")
    status = daemon_status(house.file, {})

    assert "policy.mode" in (status.policy_problem or "")
    assert (status.watched, status.quarantine) == ((), None)


def test_a_photo_is_explained_by_where_it_was_and_by_where_it_is(house: House) -> None:
    """With the decision, the policy in force in its folder, and its history."""
    house.reject()
    moved = house.config.quarantine / house.photo.relative
    found = [explain_decision(house.config, path) for path in (house.photo.path, moved)]

    assert found[0] == found[1]
    assert found[0] is not None
    assert (found[0].case.verdict, found[0].case.now.path) == (Verdict.QUARANTINE, moved)
    assert [decision.place for decision in found[0].history] == [house.photo]
    assert found[0].policy.digest == resolve_policies(house.config).default.digest
    assert explain_decision(house.config, house.photo.path.with_name("b.jpg")) is None


def test_decisions_and_rejects_are_counted(house: House) -> None:
    """A reject that the user deletes is confirmed; one answer suggests no threshold."""
    house.reject()
    (house.config.quarantine / house.photo.relative).unlink()
    report = report_rejects(house.config.state, None)
    suggested = suggest_thresholds(house.config, SuggestRequest(precision=0.98))

    assert [decision.verdict for decision in past_decisions(house.config.state, LogRequest(50))] == [Verdict.QUARANTINE]
    assert (report.decisions[Verdict.QUARANTINE], report.held) == (1, 0)
    assert {name: [each.counts[Feedback.CONFIRMED] for each in found] for name, found in report.groups.items()} == {
        "defect": [1],
        "camera": [1],
        "rule": [1],
    }
    assert [each.suggestion.defect for each in suggested] == list(Defect)
    assert all(each.suggestion.known < LEAST_ANSWERS and each.suggestion.threshold is None for each in suggested)


def test_a_brake_that_is_not_on_is_not_released(house: House) -> None:
    """The result names that case."""
    assert release_brake(house.config) is False


def test_a_damaged_journal_is_kept_and_rebuilt(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the path of the damaged one."""
    house.reject()
    for file in house.config.state.glob(f"{JOURNAL}-*"):
        file.unlink()
    (house.config.state / JOURNAL).write_bytes(b"no journal")
    with caplog.at_level(logging.WARNING):
        rebuilt = rebuild_journal(house.config)

    assert (rebuilt.photos, rebuilt.adopted, rebuilt.problems) == (1, 1, ())
    assert f"the damaged journal is kept as {house.config.state / JOURNAL}" in caplog.text
