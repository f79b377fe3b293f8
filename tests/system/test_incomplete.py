"""Photos that arrive in two parts, or whose last part never comes."""

from __future__ import annotations

import json

import pytest

from harness import containers, factories
from harness.daemon_process import House

BLURRED = factories.encoded(factories.blurred(factories.picture(31)), quality=90)
TAIL = containers.movie(20_000)
WHOLE = containers.with_xmp(BLURRED, containers.listed(len(TAIL))) + TAIL


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_download_that_rests_within_the_movie_is_waited_for(house: House) -> None:
    """The file is closed and quiet; it is neither moved nor tagged until the rest has come, and then it is whole."""
    photo = house.inbox / "motion.jpg"
    photo.write_bytes(WHOLE[:-9000])
    with house.daemon():
        house.wait_until(lambda: "incomplete" in house.culld("status"), "the report")
        assert not photo.with_name("motion.jpg.xmp").exists()
        with photo.open("ab") as stream:
            stream.write(WHOLE[-9000:])
        house.wait_until((house.quarantine / "motion.jpg").exists, "the quarantine")

    assert (house.quarantine / "motion.jpg").read_bytes() == WHOLE


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_photo_whose_movie_never_comes_is_judged_and_stays(house: House) -> None:
    """As an editor leaves it that keeps the XMP and drops the movie: tagged beside it, never moved."""
    photo = house.inbox / "stripped.jpg"
    photo.write_bytes(WHOLE[: -len(TAIL)])
    house.culld("once")
    (row,) = [json.loads(line) for line in house.culld("log", "--json").splitlines()]

    assert photo.read_bytes() == WHOLE[: -len(TAIL)]
    assert b"defect:blur" in (house.inbox / "stripped.jpg.xmp").read_bytes()
    assert row["verdict"] == "tag"
    assert "a part of the file is missing" in row["reason"]
