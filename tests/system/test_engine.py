"""The engine that the configuration asks for judges, or culld logs why another one does."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import POLICY, House

MODEL = Path(__file__).parents[2] / "models" / "defects"
WITHOUT_KERAS = ("card.json", "model.tflite")


def scores(house: House) -> list[list[float]]:
    """Return the scores of the photos in the inbox, in the order of their names."""
    told = [json.loads(line) for line in house.culld("score", "--json", str(house.inbox)).splitlines()]
    return [
        [each[defect] for defect in ("blur", "under", "over")] for each in sorted(told, key=lambda each: each["path"])
    ]


@pytest.mark.slow
@pytest.mark.timeout(540)
@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs the extra `gpu`")
def test_tensorflow_and_litert_give_the_same_scores(house: House) -> None:
    """Through the whole of culld; a photo of each kind."""
    picture = factories.picture(1)
    house.drop("a.jpg", factories.encoded(picture))
    house.drop("b.jpg", factories.encoded(factories.blurred(picture)))
    said = {}
    for engine in ("litert", "tensorflow"):
        house.config.write_text(f"{POLICY}model: {{engine: {engine}}}\n")
        said[engine] = scores(house)

    assert said["tensorflow"] == [pytest.approx(row, abs=1e-3) for row in said["litert"]]
    assert said["litert"][1][0] > 0.9


@pytest.mark.slow
def test_a_model_that_tensorflow_cannot_load_is_judged_by_litert_with_a_warning(house: House) -> None:
    """The doctor reports the same, with advice."""
    model = house.folder / "model"
    model.mkdir()
    for name in WITHOUT_KERAS:
        shutil.copy(MODEL / name, model)
    house.config.write_text(f"{POLICY}model: {{path: {model}, engine: tensorflow}}\n")
    house.drop("a.jpg", factories.encoded(factories.picture(1)))

    done = house.run("once")
    why = "TensorFlow is not installed" if importlib.util.find_spec("tensorflow") is None else "holds no model.keras"

    assert done.returncode == 0
    assert "photos are judged by LiteRT on the CPU" in done.stderr
    assert why in done.stderr
    told = house.culld("doctor", "--json")
    (engine,) = [check for check in map(json.loads, told.splitlines()) if check["name"] == "engine"]
    assert (engine["health"], why in engine["what"]) == ("warn", True)
