"""The rule that says when a defect model may replace the one in service, and the rows that it judges."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from culld.compare.bench.defects import defect_folders, defect_rows, may_go_live, read_rows, row_of
from culld.compare.bench.results import DefectRow, HeadFigures
from culld.errors import SystemFaultError
from culld.inference.card import MODEL_FILE, Card, save_card
from culld.records import NETWORK_DEFECTS
from culld.training.report import evaluation_figures, evaluation_report, report_text
from harness.predictions import REJECT, SHARES, TAG, all_protocols

FIGURES = evaluation_figures(all_protocols(), TAG, REJECT, SHARES)


def row(name: str = "new", photos: str = "a", **f1: float) -> DefectRow:
    """A model with these F1."""
    return DefectRow(name, {head: HeadFigures(value, 0.99, 0.01) for head, value in f1.items()}, photos)


CURRENT = row("current", blur=0.95, under=0.94, over=0.93)


@pytest.mark.parametrize("blur", [0.94, 0.95, 0.99])
def test_a_model_that_loses_a_hundredth_at_most_may_go_live(blur: float) -> None:
    """0.95 - 0.94 is a little more than 0.01 for a computer."""
    found = may_go_live(row(blur=blur, under=0.94, over=0.93), CURRENT)

    assert found.allowed
    assert found.reasons[0].startswith("no head loses more than 0.01 F1")


def test_one_head_that_loses_more_is_enough_to_refuse() -> None:
    """However much the others gain; every such head is named."""
    found = may_go_live(row(blur=0.99, under=0.9299, over=0.91), CURRENT)

    assert not found.allowed
    assert found.reasons == (
        "under loses 0.0101 F1 (0.9400 to 0.9299), more than 0.01",
        "over loses 0.0200 F1 (0.9300 to 0.9100), more than 0.01",
    )


def test_figures_of_other_photos_prove_nothing() -> None:
    """The sentence names the command that measures both."""
    found = may_go_live(row(photos="b", blur=1, under=1, over=1), CURRENT)

    assert not found.allowed
    assert "--against" in found.reasons[0]


def test_a_model_without_one_of_the_heads_may_not_go_live() -> None:
    """It would judge less."""
    found = may_go_live(row(blur=1, over=1), CURRENT)

    assert (found.allowed, found.reasons) == (False, ("new has no head for under",))


def model(folder: Path, name: str, labels: tuple[str, ...] = NETWORK_DEFECTS) -> Card:
    """Write a folder with a model and its card."""
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(name.encode())
    card = Card(name, 1, hashlib.sha256(name.encode()).hexdigest(), 512, 384, labels, (), {}, {}, {}, {}, {})
    save_card(folder, card)
    return card


def write_figures(folder: Path, *names: str, photos: str = "") -> None:
    """Write figures.json of these models, with equal figures."""
    report = evaluation_report(names[0], dict.fromkeys(names, FIGURES))
    (folder / "figures.json").write_text(report_text({**report, "photos": photos}), "utf-8")


def test_a_row_has_f1_auc_and_calibration_error_of_each_head() -> None:
    """Those of defects in linear light, and of the recipe's prevalence."""
    found = row_of("it", FIGURES, "a").heads["blur"]

    assert found.f1 == FIGURES["linear_protocol_at_tag"]["blur"]["f1"]
    assert found.auc == FIGURES["linear_protocol_at_tag"]["blur"]["auc"]
    assert found.ece == FIGURES["expected_calibration_error"]["blur"]


def test_what_gives_no_probability_has_no_calibration_error() -> None:
    """As plain rules."""
    figures = {name: value for name, value in FIGURES.items() if not name.startswith("expected")}

    assert row_of("rules", figures, "a").heads["blur"].ece is None


def test_the_models_of_one_file_are_compared_and_one_of_other_photos_is_refused(tmp_path: Path) -> None:
    """The model in service has no verdict; a model without figures has no row."""
    current, other = model(tmp_path / "defects", "now"), model(tmp_path / "defects-2", "before")
    model(tmp_path / "bare", "bare")
    model(tmp_path / "faces", "faces", ("face",))
    write_figures(tmp_path / "defects", current.id, "plain rules")
    write_figures(tmp_path / "defects-2", other.id, photos="others")
    folders = defect_folders(tmp_path)

    rows = defect_rows(tmp_path / "defects", tuple(folders.values()))

    assert set(folders) == {current.id, other.id, "bare-1@" + hashlib.sha256(b"bare").hexdigest()[:12]}
    assert [each.name for each in rows] == [current.id, "plain rules", other.id]
    assert rows[0].verdict is None
    assert rows[1].verdict is not None
    assert rows[1].verdict.allowed
    assert rows[2].verdict is not None
    assert not rows[2].verdict.allowed


def test_figures_of_another_model_than_that_in_the_folder_are_an_error(tmp_path: Path) -> None:
    """The sentence names the command that makes new ones."""
    model(tmp_path / "defects", "now")
    write_figures(tmp_path / "defects", "before-1@123456789abc")

    with pytest.raises(SystemFaultError, match=r"is not of now-1@.*culld model evaluate"):
        defect_rows(tmp_path / "defects", ())


def test_a_folder_without_figures_has_no_rows(tmp_path: Path) -> None:
    """And so the bench has none."""
    model(tmp_path / "defects", "now")

    assert read_rows(tmp_path / "defects") == ()
    assert defect_rows(tmp_path / "defects", ()) == ()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"contenders": 3}', '{"contenders": {"it": []}}', json.dumps({"contenders": {"it": {}}})]
)
def test_a_file_without_figures_is_a_clear_error(tmp_path: Path, text: str) -> None:
    """Whatever it holds."""
    (tmp_path / "figures.json").write_text(text, "utf-8")

    with pytest.raises(SystemFaultError, match="culld model evaluate"):
        read_rows(tmp_path)


def test_the_shipped_figures_have_rows() -> None:
    """The model in service is among them, and its verdict on itself would be yes."""
    folder = Path(__file__).resolve().parents[2] / "models" / "defects"
    rows = defect_rows(folder, ())

    assert [each.name for each in rows if each.verdict is None] == [rows[0].name]
    assert may_go_live(replace(rows[0], name="again"), rows[0]).allowed
