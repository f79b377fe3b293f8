"""Photos whose names leave no room for what is written beside them."""

from __future__ import annotations

import pytest

from harness import factories
from harness.daemon_process import House

BLURRED = factories.encoded(factories.blurred(factories.picture(31)), quality=90)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["x" * 251 + ".jpg", "x" * 248 + ".jpg", "ü" * 125 + ".jpg", "x" * 250 + ".jpeg"])
@pytest.mark.parametrize("rival", [False, True])
def test_a_photo_with_a_name_of_full_length_is_moved_and_comes_back(house: House, name: str, rival: bool) -> None:  # noqa: FBT001
    """With a sidecar of the short name or, where that would belong to another photo as well, without one."""
    photo = house.inbox / name
    photo.write_bytes(BLURRED)
    if rival:
        photo.with_suffix(".gif").write_bytes(b"a picture with the same name")
    house.culld("once")

    assert not photo.exists()
    assert (photo.with_suffix(".xmp")).exists() is False
    moved = [path for path in house.quarantine.iterdir() if path.suffix == photo.suffix]
    assert len(moved) == 1

    house.culld("restore", "--all", "--untag")
    assert photo.read_bytes() == BLURRED
