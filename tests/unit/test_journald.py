"""The log in the journal of systemd."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from culld.records import Outcome, Stack, Verdict
from culld.stages.report import journal_fields
from culld.system.journald import FIELDS, JournaldHandler, log_to_journald
from harness import factories


@dataclass
class FakeTransport:
    """Keeps what it is given, or fails."""

    sent: list[dict[str, object]] = field(default_factory=list)
    is_gone: bool = False

    def send(self, pairs: Iterable[tuple[str, object]]) -> None:
        """One more entry."""
        if self.is_gone:
            raise ConnectionRefusedError
        self.sent.append(dict(pairs))


def record(level: int = logging.WARNING, **extra: object) -> logging.LogRecord:
    """A record as a log call makes it."""
    return logging.getLogger("culld.test").makeRecord("culld.test", level, "", 0, "it %s", ("is",), None, extra=extra)


def test_a_record_becomes_an_entry_with_its_fields() -> None:
    """The priority is syslog's."""
    transport = FakeTransport()
    JournaldHandler(transport).emit(record(**{FIELDS: {"PHOTO": "/a.jpg"}}))
    JournaldHandler(transport).emit(record(logging.INFO))

    assert transport.sent == [
        {"MESSAGE": "it is", "PRIORITY": 4, "SYSLOG_IDENTIFIER": "culld", "PHOTO": "/a.jpg"},
        {"MESSAGE": "it is", "PRIORITY": 6, "SYSLOG_IDENTIFIER": "culld"},
    ]


def test_what_the_journal_does_not_take_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost."""
    JournaldHandler(FakeTransport(is_gone=True)).emit(record())

    assert capsys.readouterr().err == "it is\n"


@pytest.mark.parametrize("stream", [None, "1:1", "nonsense"])
def test_elsewhere_the_log_stays_plain_text(stream: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error of a terminal, a pipe, or another service."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if stream is not None:
        monkeypatch.setenv("JOURNAL_STREAM", stream)
    before = list(logging.getLogger().handlers)

    assert not log_to_journald()
    assert logging.getLogger().handlers == before


def test_an_outcome_is_logged_in_fields() -> None:
    """Only what there is."""
    plan = replace(factories.plan(Stack(factories.assessment(blur=0.99)), Verdict.TAG), rule="policy.rules.mine")

    assert journal_fields(Outcome(plan, plan.photo.place, None, "")) == {
        "PHOTO": "/photos/a.jpg",
        "NOW": "/photos/a.jpg",
        "VERDICT": "tag",
        "RULE": "policy.rules.mine",
        "POLICY": "policy-1",
        "BLUR": "0.9900",
        "UNDER": "0.0000",
        "OVER": "0.0000",
    }
    unread = replace(plan, stack=Stack(factories.unreadable()), rule="")
    assert journal_fields(Outcome(unread, plan.photo.place, None, "", fault="no room")).keys() == {
        "PHOTO", "NOW", "VERDICT", "POLICY", "FAULT",
    }  # fmt: skip
