"""The frozen records that the stages and folders of culld exchange.

From stage to stage: `FileSnapshot -> Photo -> Assessment -> Stack -> Decision -> Plan -> Outcome`. Paths are `Path`
objects that hold any bytes of a file name (Python's surrogateescape): store them with `os.fsencode`, print them with
`display_path`.
"""

from __future__ import annotations

from culld.records.camera import Camera, Exposure
from culld.records.copies import CopyPolicy, CopyState, RecordedCopy
from culld.records.decision import (
    Decision,
    Edit,
    Move,
    OpenPlan,
    Outcome,
    Plan,
    Rewrite,
    TaggedFiles,
)
from culld.records.enums import (
    NETWORK_DEFECTS,
    Action,
    Defect,
    EngineKind,
    Format,
    Mode,
    PlanState,
    RejectFlag,
    SeriesKind,
    Sidecars,
    SidecarStyle,
    StackVerdict,
    Verdict,
    display_path,
)
from culld.records.files import FileSnapshot, FileStat, ReadFailure, RootedPath
from culld.records.photo import (
    Assessment,
    DHash,
    Photo,
    Scores,
    Series,
    Stack,
    Unreadable,
)
from culld.records.policy import BrakeLimit, FolderPolicies, OperatingPoint, Policy, Protection, Rule, Threshold
from culld.records.recorded import RecordedDecision, SeriesMembership
from culld.records.review import (
    BY_PERSON,
    MOST_ITEMS,
    WISH_FOLDER,
    Answer,
    ItemOutcome,
    ItemState,
    ReviewState,
    Wish,
    WishItem,
    WishKind,
    WishProgress,
    review_state,
)
from culld.records.subject import Face, Subject
from culld.records.user_metadata import Rating, UserMetadata, UserMetadataSources

__all__ = [
    "BY_PERSON",
    "MOST_ITEMS",
    "NETWORK_DEFECTS",
    "WISH_FOLDER",
    "Action",
    "Answer",
    "Assessment",
    "BrakeLimit",
    "Camera",
    "CopyPolicy",
    "CopyState",
    "DHash",
    "Decision",
    "Defect",
    "Edit",
    "EngineKind",
    "Exposure",
    "Face",
    "FileSnapshot",
    "FileStat",
    "FolderPolicies",
    "Format",
    "ItemOutcome",
    "ItemState",
    "Mode",
    "Move",
    "OpenPlan",
    "OperatingPoint",
    "Outcome",
    "Photo",
    "Plan",
    "PlanState",
    "Policy",
    "Protection",
    "Rating",
    "ReadFailure",
    "RecordedCopy",
    "RecordedDecision",
    "RejectFlag",
    "ReviewState",
    "Rewrite",
    "RootedPath",
    "Rule",
    "Scores",
    "Series",
    "SeriesKind",
    "SeriesMembership",
    "SidecarStyle",
    "Sidecars",
    "Stack",
    "StackVerdict",
    "Subject",
    "TaggedFiles",
    "Threshold",
    "Unreadable",
    "UserMetadata",
    "UserMetadataSources",
    "Verdict",
    "Wish",
    "WishItem",
    "WishKind",
    "WishProgress",
    "display_path",
    "review_state",
]
