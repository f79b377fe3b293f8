"""The simulation of the page decides about photos that change sides as `culld policy simulate` does."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from culld.app.model_files import resolve_policies
from culld.app.simulate import Simulation
from culld.config import load_config
from culld.records import Assessment, Camera, DHash, Format, Photo, Scores, Stack, Verdict
from harness import factories
from harness.review_library import API, Library, taken

CONFIG = "watch: [{path: photos}]\nquarantine: q\nstate: state\npolicy: {mode: observe, protect: {smaller_than: never}"
BURST = 4


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Bursts of four frames, single photos, and shots with a RAW; decided by the default policy."""
    library = Library(tmp_path)
    (tmp_path / "c.yaml").write_text(f"{CONFIG}}}\nweb: {{hosts: [nas.local]}}\n")
    dice = random.Random(11)  # noqa: S311
    digest = simulation(library, "").policies.default.digest
    for group in range(60):
        size = BURST if group % 2 else 1
        for frame in range(size):
            add(library, dice, group, frame, size > 1, digest)
    for case, rejected in decided(library, "").items():
        verdict = Verdict.TAG if rejected else Verdict.KEEP
        library.execute("UPDATE decision SET unwanted = ?, verdict = ? WHERE id = ?", int(rejected), verdict, case)
    return library


def add(library: Library, dice: random.Random, group: int, frame: int, burst: bool, digest: str) -> None:  # noqa: FBT001
    """Add a photo; the frames of a burst are half a second apart, and look alike."""
    name = f"IMG_{group:03}_{frame}.jpg"
    at = taken(10 * group) + timedelta(seconds=frame / 2)
    place = factories.place(name, str(library.folder / "photos"))
    photo = Photo(place, factories.stamp(), f"{library.count:064x}", Format.JPEG, Camera("X100", at))
    scores = Scores(round(0.8 + 0.2 * dice.random(), 3), 0.0, round(dice.random(), 3))
    scene, hand = random.Random(group), random.Random(100 * group + frame)  # noqa: S311
    look = DHash(*(scene.getrandbits(256) ^ _eighth(hand) for _ in range(2)))
    assessment = Assessment(photo, scores, "defects-3@1", look, full_size=(960, 720))
    library.add(
        Verdict.KEEP,
        name=name,
        scores=scores,
        stack=Stack(assessment),
        policy=digest,
        series_id=f"s{group}" if burst else "",
        rule="",
    )


def _eighth(dice: random.Random) -> int:
    """Return 256 bits of which an eighth is set: frames from a hand differ by that much, those of a tripod less."""
    return dice.getrandbits(256) & dice.getrandbits(256) & dice.getrandbits(256)


def simulation(library: Library, defects: str) -> Simulation:
    """The simulation of the command line with other thresholds."""
    file = library.folder / "other.yaml"
    file.write_text(f"{CONFIG}{defects}}}\n")
    config = load_config(file, library.environ)
    return Simulation(config, resolve_policies(config), library.journal())


def decided(library: Library, defects: str) -> Mapping[int, bool]:
    """Whether each photo would be rejected, by its number."""
    made = simulation(library, defects)
    with made.journal as journal:
        rows = journal._rows("SELECT id, plan FROM decision")
        numbers = {plan: number for number, plan in rows}
        return {numbers[each.case.plan]: each.decision.would_reject for each in made.changes(None)}


@pytest.mark.parametrize("reject", [0.82, 0.85, 0.9, 0.95, 0.99])
def test_bursts_keep_their_best_frame(library: Library, reject: float) -> None:
    """Also where all frames reach the threshold."""
    expected = decided(library, f", defects: {{blur: {{tag: 0.5, reject: {reject}}}}}")
    before = decided(library, "")
    with library.client() as client:
        body = {"defects": {"blur": {"tag": 0.5, "reject": reject}}, "ids": True}
        found = client.post(f"{API}/simulate", json=body).json()

    assert found["exact"] is True
    assert len(expected) == 150
    move = {number for number, rejected in expected.items() if rejected and not before[number]}
    back = {number for number, rejected in expected.items() if not rejected and before[number]}
    assert (set(found["ids"]["move"]), set(found["ids"]["come_back"])) == (move, back)
    if reject <= 0.85:  # whole bursts reach it: their best frames stay, also those that were rejected before
        assert any(blurs(library)[number] >= reject for number in back)
        assert sum(expected.values()) < sum(each >= reject for each in blurs(library).values())


def blurs(library: Library) -> dict[int, float]:
    """The probability of blur of each photo."""
    with library.journal() as journal:
        return dict(map(tuple, journal._rows("SELECT id, blur FROM decision")))
