"""The frozen records that cross the borders between rooms; their names tell how far a photo has come.

`Sighting -> Photo -> Assessment -> Stack -> Plan -> Outcome`. Paths are ordinary `Path` objects that carry any bytes a
file name may hold (Python's surrogateescape): use `os.fsencode` where bytes are stored, never print them raw.
"""

from __future__ import annotations

from culld.records.camera import Camera, Exposure
from culld.records.decision import Case, Edit, Move, OpenPlan, Outcome, Plan, Reject, Rewrite, Tagged
from culld.records.enums import (
    Action,
    Defect,
    EngineKind,
    Format,
    Mark,
    Mode,
    SeriesKind,
    Sidecars,
    SidecarStyle,
    Stacking,
    Verdict,
    printable,
)
from culld.records.photo import (
    Assessment,
    Care,
    Fault,
    Likeness,
    Photo,
    Place,
    Rating,
    Scores,
    Series,
    Sighting,
    Stack,
    Stamp,
    Unreadable,
)
from culld.records.policy import BrakeLimit, Meaning, Protection, Rule, Rules, Threshold

__all__ = [
    "Action",
    "Assessment",
    "BrakeLimit",
    "Camera",
    "Care",
    "Case",
    "Defect",
    "Edit",
    "EngineKind",
    "Exposure",
    "Fault",
    "Format",
    "Likeness",
    "Mark",
    "Meaning",
    "Mode",
    "Move",
    "OpenPlan",
    "Outcome",
    "Photo",
    "Place",
    "Plan",
    "Protection",
    "Rating",
    "Reject",
    "Rewrite",
    "Rule",
    "Rules",
    "Scores",
    "Series",
    "SeriesKind",
    "SidecarStyle",
    "Sidecars",
    "Sighting",
    "Stack",
    "Stacking",
    "Stamp",
    "Tagged",
    "Threshold",
    "Unreadable",
    "Verdict",
    "printable",
]
