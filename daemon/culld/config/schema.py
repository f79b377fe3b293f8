"""The schema of the configuration file: every key, what it allows, and its default; `policy` has its own module."""

from __future__ import annotations

import os
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from culld.config import types
from culld.config.fields import AutoOrFolder, Folder, OrWord, Section, State
from culld.config.policy_schema import ClipsSection, FolderValues, PolicySection
from culld.records import CopyPolicy, EngineKind, FolderPolicies, Mode, RejectFlag, Sidecars, SidecarStyle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from culld.records import Defect


class Embed(StrEnum):
    """When tags are also written into the photo's own file."""

    DEFECTS = "defects"
    NEVER = "never"


class Level(StrEnum):
    """The least severe level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_DAYS_TO_A_CENTURY = BeforeValidator(types.duration("1d", "36500d"))


class WatchSection(Section):
    """A folder to watch, with all that is below it; without a value of its own that of the policy holds."""

    path: Folder
    mode: Annotated[Mode | None, OrWord(types.AUTO)] = None
    enhance: Annotated[CopyPolicy | None, OrWord(types.AUTO)] = None
    clips: Annotated[ClipsSection | None, OrWord(types.AUTO)] = None

    def values(self, policy: PolicySection) -> FolderValues:
        """Return the values for this folder: its own, or those of the policy."""
        clips = policy.clips if self.clips is None else self.clips
        return FolderValues(self.mode or policy.mode, self.enhance or policy.enhance, clips.threshold())


class QuarantineSection(Section):
    """Where rejected photos go, and after how long into the trash of the desktop (None: never)."""

    path: Folder
    trash_after: Annotated[timedelta | None, _DAYS_TO_A_CENTURY, OrWord(types.NEVER)] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`quarantine: FOLDER` is short for its path."""
        return value if isinstance(value, dict) else {"path": value}


class SettleSection(Section):
    """When a file counts as complete."""

    quiet: Annotated[timedelta, BeforeValidator(types.duration("100ms", "1h"))] = timedelta(seconds=3)


class BatchSection(Section):
    """How many photos are judged together, on a GPU by one run of the network; how long the first waits for more."""

    wait: Annotated[timedelta, BeforeValidator(types.duration("0s", "1h"))] = timedelta(seconds=2)
    size: Annotated[int, Field(strict=True, ge=1, le=1024)] = 16


class ModelSection(Section):
    """The network, a folder with model.tflite and card.json (None: the one that comes with culld), and its engine."""

    path: AutoOrFolder = None
    engine: EngineKind = EngineKind.AUTO


def _no_sidecar_style(value: object) -> object:
    if isinstance(value, str) and value in set(SidecarStyle):
        raise ValueError(f"{value!r} is the name of a sidecar; write `sidecar_name: {value}` instead")
    return value


class TagsSection(Section):
    """What is written about a photo."""

    embed: Embed = Embed.DEFECTS
    prefix: Annotated[
        str,
        Field(
            strict=True,
            max_length=32,
            pattern=types.KEYWORD_START,
            description="up to 32 characters without ; , | < > &",
        ),
    ] = "defect:"
    sidecar: Annotated[Sidecars, BeforeValidator(_no_sidecar_style)] = Sidecars.ALWAYS
    sidecar_name: SidecarStyle = SidecarStyle.FULL
    reject_flags: tuple[RejectFlag, ...] = ()


class LimitsSection(Section):
    """What one photo may cost; beyond it the photo counts as unreadable and stays where it is."""

    pixels: Annotated[int, Field(strict=True, ge=1, le=10**10)] = 250_000_000
    file_size: Annotated[int, BeforeValidator(types.size("1kB"))] = 10**9
    memory: Annotated[int, BeforeValidator(types.size("256MB"))] = 2 * 10**9
    time: Annotated[timedelta, BeforeValidator(types.duration("1s", "1h"))] = timedelta(seconds=60)


class AlertSection(Section):
    """How a person is alerted of what cannot wait, besides the log and the status."""

    command: Annotated[tuple[str, ...], BeforeValidator(types.command)] = ()
    webhook: Annotated[str | None, BeforeValidator(types.address)] = None


class WebSection(Section):
    """The review page: its port, the names that a browser may use for it, when it ends (None: never), its cache."""

    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 8466
    hosts: Annotated[tuple[str, ...], BeforeValidator(types.hosts)] = ()
    idle: Annotated[timedelta | None, BeforeValidator(types.duration("1s", "365d")), OrWord(types.NEVER)] = timedelta(
        minutes=15
    )
    cache: Annotated[int, BeforeValidator(types.size("1MB"))] = 2 << 30


class LogSection(Section):
    """What is logged."""

    level: Level = Level.INFO


def _require_watched_folder(folders: tuple[WatchSection, ...]) -> tuple[WatchSection, ...]:
    # Pydantic's own minimum length counts only the valid items, and so blames the list for a mistake in one of them.
    if not folders:
        raise ValueError("no folder is given; write at least one `- path: FOLDER`")
    return folders


class Config(Section):
    """The whole file, checked; `load_config` makes it."""

    watch: Annotated[
        tuple[WatchSection, ...],
        AfterValidator(_require_watched_folder),
        Field(description="one `- path: FOLDER` for each folder"),
    ]
    store: Annotated[QuarantineSection, Field(alias="quarantine")]
    state: State
    policy: PolicySection = PolicySection()
    settle: SettleSection = SettleSection()
    rescan: Annotated[timedelta, BeforeValidator(types.duration("1s", "7d"))] = timedelta(minutes=1)
    keep_history: Annotated[timedelta | None, _DAYS_TO_A_CENTURY, OrWord(types.FOREVER)] = timedelta(days=365)
    batch: BatchSection = BatchSection()
    workers: Annotated[int | None, Field(strict=True, ge=1, le=64), OrWord(types.AUTO)] = None
    model: ModelSection = ModelSection()
    tags: TagsSection = TagsSection()
    limits: LimitsSection = LimitsSection()
    alert: AlertSection = AlertSection()
    web: WebSection = WebSection()
    log: LogSection = LogSection()
    version: Annotated[int, BeforeValidator(types.version)] = 1

    @model_validator(mode="before")
    @classmethod
    def _state_is_auto(cls, value: Any) -> Any:
        # The default depends on the environment, which only the validator of the key sees.
        return {"state": types.AUTO, **value} if isinstance(value, dict) else value

    def policies(self, threshold_for: Callable[[Defect, float], float]) -> FolderPolicies:
        """Return the policies in force; `threshold_for` gives the number for each precision, and may raise."""
        thresholds = self.policy.defects.to_thresholds(threshold_for)
        policy = self.policy
        by_root = {watch.path: policy.to_policy(watch.values(policy), thresholds) for watch in self.watch}
        default = FolderValues(policy.mode, policy.enhance, policy.clips.threshold())
        return FolderPolicies(policy.to_policy(default, thresholds), by_root)

    @property
    def quarantine(self) -> Path:
        """The folder that rejected photos are moved to."""
        return self.store.path

    @property
    def worker_count(self) -> int:
        """The number of worker processes: as configured, else one per CPU that this process may use, at most 4."""
        return self.workers or min(len(os.sched_getaffinity(0)), 4)
