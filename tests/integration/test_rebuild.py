"""A journal that is deleted, cut off, zeroed or rolled back costs no photo, and can be made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from culld.app.rebuild import Rebuilt, rebuild
from culld.records import RecordedDecision, Verdict
from harness.journal_loss import DAMAGES, Vault, zeroed


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Three photos in quarantine."""
    return Vault(tmp_path).build(["a.jpg", "2026/b.jpg", "2026/05/new\nline.jpg"])


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_photo_comes_back_without_the_journal(vault: Vault, damage: Callable[[Vault], None]) -> None:
    """The records beside the photos are enough."""
    damage(vault)

    assert [result.fault for result in vault.restore()] == [None] * 3
    assert vault.is_whole()


def recorded(decision: RecordedDecision) -> tuple[object, ...]:
    """Return the decision in the record beside a photo."""
    return (
        (decision.plan, decision.made_at, decision.state, decision.note, decision.fault, decision.restored_at),
        (decision.place, decision.digest, decision.now, decision.now_digest, decision.scores, decision.model),
        (decision.verdict, decision.reason, decision.keywords, decision.policy),
    )


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_the_journal_is_made_again(vault: Vault, damage: Callable[[Vault], None]) -> None:
    """Every decision is imported as it was, and a second rebuild changes nothing."""
    with vault.journal() as journal:
        before = journal.decisions()
    damage(vault)

    with vault.journal() as journal:
        known = len(journal.decisions())
        assert rebuild(vault.quarantine, journal) == Rebuilt(3, 3 - known, ())
        assert rebuild(vault.quarantine, journal) == Rebuilt(3, 0, ())
        after = journal.decisions()

    assert [recorded(decision) for decision in before] == [recorded(decision) for decision in after]
    assert {decision.verdict for decision in after} == {Verdict.QUARANTINE}


def test_a_damaged_journal_is_kept(vault: Vault) -> None:
    """A user who knows SQLite may recover more from it."""
    zeroed(vault)

    with vault.journal() as journal:
        aside = journal.set_aside

    assert aside is not None
    assert aside.stat().st_size > 5000


def test_a_file_that_is_no_record_is_reported_and_kept(vault: Vault) -> None:
    """Other users may write to the quarantine."""
    strange = vault.quarantine / "x.jpg.culld.json"
    strange.write_text("{}")

    with vault.journal() as journal:
        found = rebuild(vault.quarantine, journal)

    assert (found.photos, found.adopted, len(found.problems)) == (3, 0, 1)
    assert found.problems[0].startswith(str(strange))
    assert strange.exists()
