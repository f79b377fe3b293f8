"""The schema of the configuration file: every key, what it allows, and its default."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from culld.config import types
from culld.records import (
    Action,
    BrakeLimit,
    Defect,
    EngineKind,
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
    from collections.abc import Callable


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

    def to_threshold(self) -> Threshold:
        """The same as a record; a precision must have been looked up before."""
        if isinstance(self.reject, types.PrecisionTarget):
            raise TypeError("a precision is no number yet: look it up with Config.looked_up")
        return Threshold(self.tag, self.reject)

    def resolve_thresholds(self, threshold_for: Callable[[float], float]) -> Self:
        """The same with a number in place of a precision; a photo that is rejected is always tagged as well."""
        if not isinstance(self.reject, types.PrecisionTarget):
            return self
        found = threshold_for(self.reject.precision)
        return self.model_copy(update={"reject": max(found, self.tag)})


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

    def rules(self, mode: Mode | None = None) -> Policy:
        """The policy in force, under another mode if one is given (that of a watched folder).

        The digest is taken from what the policy means, so neither formatting nor comments change it.
        """
        policy = self.policy if mode is None else self.policy.model_copy(update={"mode": mode})
        meaning = json.dumps(policy.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        bounds = policy.defects
        return Policy(
            mode=policy.mode,
            blur=bounds.blur.to_threshold(),
            under=bounds.under.to_threshold(),
            over=bounds.over.to_threshold(),
            digest=hashlib.sha256(meaning.encode()).hexdigest()[:12],
            stack_verdict=policy.stack_verdict,
            protect=policy.protect.protection(),
            named_rules=tuple(rule.rule() for rule in policy.rules),
            brake=policy.brake.limit(),
        )

    def rules_by_folder(self) -> dict[Path, Policy]:
        """The policy in force in each watched folder."""
        return {watch.path: self.rules(watch.mode) for watch in self.watch}

    @property
    def quarantine(self) -> Path:
        """The folder where rejected photos go."""
        return self.store.path

    @property
    def has_precision_targets(self) -> bool:
        """Whether a threshold is given by its meaning, and must be looked up on the model's card."""
        defects = self.policy.defects
        return any(
            isinstance(each.reject, types.PrecisionTarget) for each in (defects.blur, defects.under, defects.over)
        )

    def resolve_thresholds(self, threshold_for: Callable[[Defect, float], float]) -> Config:
        """The same with numbers in place of precisions; raises what `threshold_for` raises."""
        old = self.policy.defects
        found = {
            defect.value: getattr(old, defect).resolve_thresholds(functools.partial(threshold_for, defect))
            for defect in Defect
        }
        policy = self.policy.model_copy(update={"defects": old.model_copy(update=found)})
        return self.model_copy(update={"policy": policy})

    @property
    def worker_count(self) -> int:
        """How many worker processes to run: as configured, else one per CPU this process may use, at most 4."""
        return self.workers or min(len(os.sched_getaffinity(0)), 4)
