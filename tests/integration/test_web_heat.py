"""Real heat maps for the review page, as its workers make them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from culld.errors import PhotoError
from culld.records import RootedPath
from culld.web.heat import create_heat
from harness import factories

MODELS = Path(__file__).parents[2] / "models"
PIXELS, BYTES = 100_000_000, 100_000_000


def saved(folder: Path, picture: Image.Image) -> RootedPath:
    """A photo in a folder."""
    (folder / "a.jpg").write_bytes(factories.encoded(picture, quality=90))
    return RootedPath(folder, Path("a.jpg"))


def test_a_map_is_small_and_upright_and_has_its_logit(tmp_path: Path) -> None:
    """A blurred portrait: 24 cells across and 32 down."""
    place = saved(tmp_path, factories.blurred(factories.picture(1, (900, 1200))))

    found = create_heat(None, PIXELS, BYTES).heat(place, "blur")

    assert Image.open(io.BytesIO(found.png)).size == (24, 32)
    assert len(found.png) < 3000
    assert found.probability > 0.9
    assert found.logit > 2


def test_missed_focus_and_what_is_no_photo_have_no_map(tmp_path: Path) -> None:
    """Each in words."""
    place = saved(tmp_path, factories.picture(1, (640, 480)))
    maker = create_heat(None, PIXELS, BYTES)
    with pytest.raises(PhotoError, match="missed focus is measured on faces"):
        maker.heat(place, "focus")
    place.path.write_bytes(b"no photo")
    with pytest.raises(PhotoError):
        maker.heat(place, "blur")


def test_a_model_without_the_files_for_maps_is_named() -> None:
    """The second version ships without them."""
    with pytest.raises(PhotoError, match="has no files to explain it"):
        create_heat(MODELS / "defects-2", PIXELS, BYTES)
