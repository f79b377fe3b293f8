"""The frozen records that cross the borders between rooms; their names tell how far a photo has come.

`FileSnapshot -> Photo -> Assessment -> Stack -> Decision -> Plan -> Outcome`. Paths are ordinary `Path` objects that
carry any bytes a file name may hold (Python's surrogateescape): use `os.fsencode` where bytes are stored, never print
them raw.
"""

from __future__ import annotations

from culld.records.camera import Camera, Exposure
from culld.records.decision import (
    Decision,
    DecisionCase,
    Edit,
    Move,
    OpenPlan,
    Outcome,
    Plan,
    QuarantinedPhoto,
    Rewrite,
    TaggedFiles,
)
from culld.records.enums import (
    Action,
    Defect,
    EngineKind,
    Format,
    Mode,
    RejectFlag,
    SeriesKind,
    Sidecars,
    SidecarStyle,
    StackVerdict,
    Verdict,
    display_path,
)
from culld.records.photo import (
    Assessment,
    DHash,
    FileSnapshot,
    FileStat,
    Photo,
    Rating,
    ReadFailure,
    RootedPath,
    Scores,
    Series,
    Stack,
    Unreadable,
    UserMetadata,
    UserMetadataSources,
)
from culld.records.policy import BrakeLimit, OperatingPoint, Policy, Protection, Rule, Threshold

__all__ = [
    "Action",
    "Assessment",
    "BrakeLimit",
    "Camera",
    "DHash",
    "Decision",
    "DecisionCase",
    "Defect",
    "Edit",
    "EngineKind",
    "Exposure",
    "FileSnapshot",
    "FileStat",
    "Format",
    "Mode",
    "Move",
    "OpenPlan",
    "OperatingPoint",
    "Outcome",
    "Photo",
    "Plan",
    "Policy",
    "Protection",
    "QuarantinedPhoto",
    "Rating",
    "ReadFailure",
    "RejectFlag",
    "Rewrite",
    "RootedPath",
    "Rule",
    "Scores",
    "Series",
    "SeriesKind",
    "SidecarStyle",
    "Sidecars",
    "Stack",
    "StackVerdict",
    "TaggedFiles",
    "Threshold",
    "Unreadable",
    "UserMetadata",
    "UserMetadataSources",
    "Verdict",
    "display_path",
]
