"""The card that travels with a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from culld.app.model_files import load_model
from culld.errors import SystemFaultError
from culld.inference.card import Card, load_card, model_digest, save_card
from culld.records import NETWORK_DEFECTS, Defect, OperatingPoint, Threshold

SHIPPED = Path(__file__).parents[2] / "models" / "defects"


def card(folder: Path) -> Card:
    """A card that fits the bytes `abc` in this folder."""
    (folder / "model.tflite").write_bytes(b"abc")
    return Card(
        name="defects",
        version=1,
        digest=model_digest(folder),
        width=512,
        height=384,
        labels=NETWORK_DEFECTS,
        thresholds=(Threshold(0.5, 0.97), Threshold(0.6, None), Threshold(0.6, 0.97)),
        data={"scenes": {"train": 7}},
        origin={"licence": "Apache-2.0"},
        metrics={},
        calibration={},
        provenance={},
        operating_points={Defect.BLUR: (OperatingPoint(0.5, 0.9, 0.99), OperatingPoint(0.97, 0.995, 0.8))},
    )


def test_a_card_survives_its_file(tmp_path: Path) -> None:
    """What is saved is what is loaded, thresholds that are never included."""
    wanted = card(tmp_path)
    save_card(tmp_path, wanted)

    assert wanted == load_card(tmp_path)


def test_the_id_names_the_bytes(tmp_path: Path) -> None:
    """Name, version, and the first twelve digits of the file's SHA-256, which of `abc` is well known."""
    assert card(tmp_path).id == "defects-1@ba7816bf8f01"


def test_the_id_stands_in_the_file_for_readers(tmp_path: Path) -> None:
    """The JSON has the id that the log shows."""
    save_card(tmp_path, card(tmp_path))

    assert card(tmp_path).id == json.loads((tmp_path / "card.json").read_text("utf-8"))["id"]


def test_a_model_that_is_not_the_cards_is_refused(tmp_path: Path) -> None:
    """One changed byte and the card does not fit any more."""
    save_card(tmp_path, card(tmp_path))
    (tmp_path / "model.tflite").write_bytes(b"abd")

    with pytest.raises(SystemFaultError, match="is not the model that its card describes"):
        load_card(tmp_path)


@pytest.mark.parametrize("missing", ["model.tflite", "card.json"])
def test_a_missing_half_is_named(tmp_path: Path, missing: str) -> None:
    """The error names the file and what to do."""
    save_card(tmp_path, card(tmp_path))
    (tmp_path / missing).unlink()

    with pytest.raises(SystemFaultError, match=f"{missing} cannot be read .* set model.path"):
        load_card(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"labels": ["noise"]}'])
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    """Half a card is no card."""
    save_card(tmp_path, card(tmp_path))
    (tmp_path / "card.json").write_text(text, "utf-8")

    with pytest.raises(SystemFaultError, match="is not a model card"):
        load_card(tmp_path)


def test_a_model_with_other_outputs_is_refused(tmp_path: Path) -> None:
    """The order of the outputs is part of the contract."""
    save_card(tmp_path, replace(card(tmp_path), labels=(Defect.OVER, Defect.BLUR, Defect.UNDER)))

    with pytest.raises(SystemFaultError, match="blur, under, over"):
        load_model(tmp_path)


@pytest.mark.parametrize(("width", "height"), [(224, 224), (384, 512)])
def test_a_model_for_frames_of_another_size_is_refused(tmp_path: Path, width: int, height: int) -> None:
    """Every photo would fail in the worker."""
    save_card(tmp_path, replace(card(tmp_path), width=width, height=height))

    with pytest.raises(SystemFaultError, match=f"takes frames of {width}x{height} pixels, .* at 512x384"):
        load_model(tmp_path)


def test_a_card_of_another_kind_of_network_can_be_read(tmp_path: Path) -> None:
    """Its labels need not be the defects; only what scores photos asks for those."""
    wanted = replace(card(tmp_path), labels=("sky", "skin"), operating_points={"sky": (OperatingPoint(0.5, 0.9, 1),)})
    save_card(tmp_path, wanted)

    assert wanted == load_card(tmp_path)


def test_the_shipped_model_has_papers_in_order() -> None:
    """Digest, size, notice, licences and figures are there."""
    shipped = load_card(SHIPPED)

    assert (shipped.width, shipped.height) == (512, 384)
    assert "Apache" in shipped.origin["notice"]
    assert shipped.data["scenes"]["train"] > 1000
    assert shipped.data["sources"]
    assert {"blur", "under", "over"} <= shipped.calibration["expected_calibration_error"].keys()
    assert (SHIPPED / "model.tflite").stat().st_size <= 6_800_000


def test_a_card_that_names_a_file_of_another_folder_is_refused(tmp_path: Path) -> None:
    """A card is a file that anybody may have written; it names a file beside it or none."""
    save_card(tmp_path, card(tmp_path))
    facts = json.loads((tmp_path / "card.json").read_text("utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(facts | {"file": "../model.tflite"}), "utf-8")

    with pytest.raises(SystemFaultError, match="not the name of a file in the same folder"):
        load_card(tmp_path)


def test_a_card_from_before_the_curves_can_be_read(tmp_path: Path) -> None:
    """It then has no curve for any defect."""
    (tmp_path / "model.tflite").write_bytes(b"network")
    save_card(tmp_path, card(tmp_path))
    facts = json.loads((tmp_path / "card.json").read_text("utf-8"))
    del facts["operating_points"]
    (tmp_path / "card.json").write_text(json.dumps(facts), "utf-8")

    assert load_card(tmp_path).operating_points == {}
