"""The model card, a JSON file beside the model: its identity, its training data, and its measured accuracy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, astuple, dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from culld.errors import SystemFaultError
from culld.records import OperatingPoint, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MODEL_FILE, KERAS_FILE, CARD_FILE = "model.tflite", "model.keras", "card.json"
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Card:
    """The facts about a model.

    `digest` is the SHA-256 of its `file` in hex; `width` and `height` are those of its input frame, in pixels
    (uint8 RGB); `labels` name its outputs in order; `thresholds` are the defaults for them. `data` (training photos
    with licences and counts), `origin` (of the starting weights, with their notice), `metrics`, `calibration` and
    `provenance` (recipe revision, frameworks, machine) are JSON values for the reader of the card. `operating_points`
    gives for each label the precision and recall of thresholds; the policy reads `reject: {precision: ...}` from them.
    `limits` are sentences: what the model cannot judge. `explain` holds the `files` that `culld explain` needs with
    their SHA-256, the `levels` that explain each output, and the measured `figures` of the heat maps; empty if it
    cannot be explained.
    """

    name: str
    version: int
    digest: str
    width: int
    height: int
    labels: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    data: Mapping[str, Any]
    origin: Mapping[str, Any]
    metrics: Mapping[str, Any]
    calibration: Mapping[str, Any]
    provenance: Mapping[str, Any]
    operating_points: Mapping[str, tuple[OperatingPoint, ...]] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    explain: Mapping[str, Any] = field(default_factory=dict)
    file: str = MODEL_FILE

    def __post_init__(self) -> None:
        """Raise ValueError for a `file` in another folder."""
        if PurePath(self.file).name != self.file:
            raise ValueError(f"file: {self.file!r} is not the name of a file in the same folder")

    @property
    def id(self) -> str:
        """The name, version and first 12 digits of the digest, such as `defects-1@3fa9c2d41b07`."""
        return f"{self.name}-{self.version}@{self.digest[:_SHORT]}"


def load_card(folder: Path) -> Card:
    """Return the card of the model in a folder; raises `SystemFaultError` if a file is missing or they do not match."""
    card = read_card(folder)
    found = model_digest(folder, card.file)
    if found != card.digest:
        raise SystemFaultError(
            f"{folder / card.file} is not the model that its card describes (SHA-256 {found[:_SHORT]}, the card holds "
            f"{card.digest[:_SHORT]}): restore both files, or run `culld model export {folder}`"
        )
    return card


def save_card(folder: Path, card: Card) -> None:
    """Write the card into the folder of its model, as indented JSON."""
    facts = {"id": card.id, **asdict(card)}
    facts["operating_points"] = {
        name: [astuple(each) for each in curve] for name, curve in card.operating_points.items()
    }
    (folder / CARD_FILE).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")


def model_digest(folder: Path, file: str = MODEL_FILE) -> str:
    """Return the SHA-256 of the file of a model in hex; raises `SystemFaultError` if it cannot be read."""
    try:
        return hashlib.sha256((folder / file).read_bytes()).hexdigest()
    except OSError as error:
        raise SystemFaultError(f"{folder / file} cannot be read ({error.strerror}): {_ADVICE}") from error


_ADVICE = "set model.path to a folder that holds model.tflite and card.json, or install culld again"


def read_card(folder: Path) -> Card:
    """Return the card in a folder, without a check of the model; raises `SystemFaultError` if it is not valid."""
    path = folder / CARD_FILE
    try:
        facts = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SystemFaultError(f"{path} cannot be read ({error.strerror}): {_ADVICE}") from error
    except ValueError as error:
        raise SystemFaultError(f"{path} is not a model card: it is not JSON ({error})") from error
    try:
        facts.pop("id", None)
        facts["labels"] = tuple(map(str, facts["labels"]))
        facts["limits"] = tuple(map(str, facts.get("limits", ())))
        facts["thresholds"] = tuple(Threshold(**each) for each in facts["thresholds"])
        curves = facts.get("operating_points", {})
        facts["operating_points"] = {
            name: tuple(OperatingPoint(*row) for row in curve) for name, curve in curves.items()
        }
        return Card(**facts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SystemFaultError(f"{path} is not a model card: {error}") from error


def require_network(folder: Path, card: Card, size: tuple[int, int], labels: Sequence[str]) -> None:
    """Raise SystemFaultError unless the card names frames of this (width, height) and these outputs in order."""
    path = folder / CARD_FILE
    if (card.width, card.height) != size:
        raise SystemFaultError(
            f"{path}: the model takes frames of {card.width}x{card.height} pixels, but this culld judges photos at "
            f"{size[0]}x{size[1]}"
        )
    if card.labels != tuple(labels):
        raise SystemFaultError(f"{path}: this culld needs a model with the outputs {', '.join(labels)}")
