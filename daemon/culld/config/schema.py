"""The schema of the configuration file: every key, what it allows, and its default."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from culld.config import types
from culld.records import (
    Action,
    BrakeLimit,
    Defect,
    EngineKind,
    FolderPolicies,
    Mode,
    Policy,
    Protection,
    RejectFlag,
    Rule,
    Sidecars,
    SidecarStyle,
    StackVerdict,
    Threshold,
)
from culld.rules import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Embed(StrEnum):
    """When tags are also written into the photo's own file."""

    DEFECTS = "defects"
    NEVER = "never"


class Level(StrEnum):
    """How much the log tells."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _path_base(info: ValidationInfo) -> types.PathBase:
    if not isinstance(info.context, types.PathBase):
        raise TypeError("a Config is made by load_config, which knows what its paths stand on")
    return info.context


def _folder(value: object, info: ValidationInfo) -> Path:
    return types.path(value, _path_base(info))


def _state(value: object, info: ValidationInfo) -> Path:
    return types.state(value, _path_base(info))


def _auto_or_folder(value: object, info: ValidationInfo) -> Path | None:
    return None if value == types.AUTO else types.path(value, _path_base(info))


Folder = Annotated[Path, BeforeValidator(_folder)]
State = Annotated[Path, BeforeValidator(_state)]
AutoOrFolder = Annotated[Path | None, BeforeValidator(_auto_or_folder)]
AutoOrMode = Annotated[Mode | None, BeforeValidator(types.auto_or_choice(Mode))]
Probability = Annotated[float, BeforeValidator(types.probability)]
YesOrNo = Annotated[bool, BeforeValidator(types.yes_or_no)]
Reject = Annotated[float | types.PrecisionTarget | None, BeforeValidator(types.reject)]


class Section(BaseModel):
    """A mapping of the file; one that is there but empty says the same as one that is not there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


class WatchSection(Section):
    """A folder to watch, with all that is below it; without a mode of its own the policy's mode holds."""

    path: Folder
    mode: AutoOrMode = None


class QuarantineSection(Section):
    """Where rejected photos go, and after how long into the trash of the desktop (None: never)."""

    path: Folder
    trash_after: Annotated[timedelta | None, BeforeValidator(types.duration_or("1d", "36500d", types.NEVER))] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`quarantine: FOLDER` is short for its path."""
        return value if isinstance(value, dict) else {"path": value}


class SettleSection(Section):
    """When a file counts as complete."""

    quiet: Annotated[timedelta, BeforeValidator(types.duration("100ms", "1h"))] = timedelta(seconds=3)


class BatchSection(Section):
    """How many photos go through the network together, and how long the first one waits for more."""

    wait: Annotated[timedelta, BeforeValidator(types.duration("0s", "1h"))] = timedelta(seconds=2)
    size: Annotated[int, BeforeValidator(types.whole(1, 1024))] = 16


class ModelSection(Section):
    """The network, a folder with model.tflite and card.json (None: the one that comes with culld), and its engine."""

    path: AutoOrFolder = None
    engine: Annotated[EngineKind, BeforeValidator(types.choice(EngineKind))] = EngineKind.AUTO


def _sidecars(value: object) -> Sidecars:
    if isinstance(value, str) and value in set(SidecarStyle):
        raise ValueError(f"{value!r} is the name of a sidecar; write `sidecar_name: {value}` instead")
    return types.choice(Sidecars)(value)


class TagsSection(Section):
    """What is written about a photo."""

    embed: Annotated[Embed, BeforeValidator(types.choice(Embed))] = Embed.DEFECTS
    prefix: Annotated[str, BeforeValidator(types.prefix)] = "defect:"
    sidecar: Annotated[Sidecars, BeforeValidator(_sidecars)] = Sidecars.ALWAYS
    sidecar_name: Annotated[SidecarStyle, BeforeValidator(types.choice(SidecarStyle))] = SidecarStyle.FULL
    reject_flags: Annotated[tuple[RejectFlag, ...], BeforeValidator(types.choices(RejectFlag))] = ()


class LimitsSection(Section):
    """What one photo may cost; beyond it the photo counts as unreadable and stays where it is."""

    pixels: Annotated[int, BeforeValidator(types.whole(1, 10**10))] = 250_000_000
    file_size: Annotated[int, BeforeValidator(types.size("1kB"))] = 10**9
    memory: Annotated[int, BeforeValidator(types.size("256MB"))] = 2 * 10**9
    time: Annotated[timedelta, BeforeValidator(types.duration("1s", "1h"))] = timedelta(seconds=60)


class AlertSection(Section):
    """How a person is told of what cannot wait, besides the log and the status."""

    command: Annotated[tuple[str, ...], BeforeValidator(types.command)] = ()
    webhook: Annotated[str | None, BeforeValidator(types.address)] = None


class LogSection(Section):
    """What the log tells."""

    level: Annotated[Level, BeforeValidator(types.choice(Level))] = Level.INFO


class DefectThresholds(Section):
    """From which probability a defect is tagged, and from which it is rejected (None: never)."""

    tag: Probability
    reject: Reject

    @model_validator(mode="after")
    def _ordered(self) -> DefectThresholds:
        if isinstance(self.reject, float) and self.tag > self.reject:
            raise ValueError(f"tag {self.tag:g} is above reject {self.reject:g}; tag must be at most reject")
        return self

    def to_threshold(self, threshold_for: Callable[[float], float]) -> Threshold:
        """Return the record; `threshold_for` gives the number for a precision, and `tag` is the least number taken."""
        if isinstance(self.reject, types.PrecisionTarget):
            return Threshold(self.tag, max(threshold_for(self.reject.precision), self.tag))
        return Threshold(self.tag, self.reject)


class Blur(DefectThresholds):
    """Blur: the defect that people ask to have removed."""

    tag: Probability = 0.5
    reject: Reject = 0.97


class Under(DefectThresholds):
    """Under-exposure: only tagged by default, because night is not a defect."""

    tag: Probability = 0.6
    reject: Reject = None


class Over(DefectThresholds):
    """Over-exposure: only tagged by default, because snow, white grounds and high-key pictures are not defects."""

    tag: Probability = 0.6
    reject: Reject = None


class DefectsSection(Section):
    """The thresholds of each defect."""

    blur: Blur = Blur()
    under: Under = Under()
    over: Over = Over()

    def to_thresholds(self, threshold_for: Callable[[Defect, float], float]) -> dict[Defect, Threshold]:
        """Return the records; `threshold_for` gives the number for a defect and a precision."""
        sections = {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over}
        return {
            defect: section.to_threshold(functools.partial(threshold_for, defect))
            for defect, section in sections.items()
        }


class ProtectSection(Section):
    """What is never moved, whatever its scores."""

    rated: Annotated[int | None, BeforeValidator(types.stars)] = 1
    edited: YesOrNo = True
    night_below: Annotated[float | None, BeforeValidator(types.light_value)] = 3.0
    series: YesOrNo = True
    bursts: YesOrNo = True

    def protection(self) -> Protection:
        """The same as a record."""
        return Protection(self.rated, self.edited, self.night_below, self.series, self.bursts)


class BrakeSection(Section):
    """Above which share of the last photos that were judged, `window` at most, moves stop; None is never exceeded."""

    max_share: Annotated[float | None, BeforeValidator(types.share)] = 0.6
    window: Annotated[int, BeforeValidator(types.whole(10, 100_000))] = 200

    def limit(self) -> BrakeLimit | None:
        """The same as a record; None for no brake."""
        return None if self.max_share is None else BrakeLimit(self.max_share, self.window)


class NamedRule(Section):
    """What to do with a photo of which a condition holds."""

    name: Annotated[str, BeforeValidator(types.name)]
    when: Annotated[str, BeforeValidator(types.condition)]
    action: Annotated[Action, BeforeValidator(types.choice(Action))]

    def rule(self) -> Rule:
        """The same as a record."""
        return Rule(self.name, parse(self.when), self.action)


def _require_unique_names(rules: tuple[NamedRule, ...]) -> tuple[NamedRule, ...]:
    names = [rule.name for rule in rules]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two rules are called {min(twice)!r}; give each a name of its own")
    return rules


class PolicySection(Section):
    """What happens to a photo; without a mode nothing is ever moved."""

    mode: Annotated[Mode, BeforeValidator(types.choice(Mode))] = Mode.OBSERVE
    defects: DefectsSection = DefectsSection()
    stack_verdict: Annotated[StackVerdict, BeforeValidator(types.choice(StackVerdict))] = StackVerdict.BEST
    protect: ProtectSection = ProtectSection()
    rules: Annotated[tuple[NamedRule, ...], AfterValidator(_require_unique_names)] = ()
    brake: BrakeSection = BrakeSection()

    def to_policy(self, mode: Mode, thresholds: Mapping[Defect, Threshold]) -> Policy:
        """Return the record.

        The digest is that of the meaning of the policy: formatting, comments and the order of keys do not change it.
        """
        return Policy(
            mode=mode,
            blur=thresholds[Defect.BLUR],
            under=thresholds[Defect.UNDER],
            over=thresholds[Defect.OVER],
            digest=self._digest(mode, thresholds),
            stack_verdict=self.stack_verdict,
            protect=self.protect.protection(),
            named_rules=tuple(rule.rule() for rule in self.rules),
            brake=self.brake.limit(),
        )

    def _digest(self, mode: Mode, thresholds: Mapping[Defect, Threshold]) -> str:
        meaning = self.model_dump(mode="json", exclude={"mode", "defects"})
        meaning |= {"mode": mode, "defects": {defect: asdict(threshold) for defect, threshold in thresholds.items()}}
        text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _require_watched_folder(folders: tuple[WatchSection, ...]) -> tuple[WatchSection, ...]:
    # Pydantic's own minimum length counts only the valid items, and so blames the list for a mistake in one of them.
    if not folders:
        raise ValueError("no folder is given; write at least one `- path: FOLDER`")
    return folders


class Config(Section):
    """The whole file, checked; `load_config` makes it."""

    watch: Annotated[tuple[WatchSection, ...], AfterValidator(_require_watched_folder)]
    store: Annotated[QuarantineSection, Field(alias="quarantine")]
    state: State
    policy: PolicySection = PolicySection()
    settle: SettleSection = SettleSection()
    rescan: Annotated[timedelta, BeforeValidator(types.duration("1s", "7d"))] = timedelta(minutes=1)
    keep_history: Annotated[timedelta | None, BeforeValidator(types.duration_or("1d", "36500d", types.FOREVER))] = (
        timedelta(365)
    )
    batch: BatchSection = BatchSection()
    workers: Annotated[int | None, BeforeValidator(types.auto_or_whole(1, 64))] = None
    model: ModelSection = ModelSection()
    tags: TagsSection = TagsSection()
    limits: LimitsSection = LimitsSection()
    alert: AlertSection = AlertSection()
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
        default = self.policy.to_policy(self.policy.mode, thresholds)
        by_root = {
            watch.path: default if watch.mode is None else self.policy.to_policy(watch.mode, thresholds)
            for watch in self.watch
        }
        return FolderPolicies(default, by_root)

    @property
    def quarantine(self) -> Path:
        """The folder where rejected photos go."""
        return self.store.path

    @property
    def worker_count(self) -> int:
        """How many worker processes to run: as configured, else one per CPU this process may use, at most 4."""
        return self.workers or min(len(os.sched_getaffinity(0)), 4)
