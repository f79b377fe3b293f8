"""The schema of `policy`: what happens to a photo, and how it becomes the record that the stages use."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints, model_validator

from culld.config import types
from culld.config.fields import OrWord, PrecisionTarget, Probability, Reject, Section
from culld.records import (
    Action,
    BrakeLimit,
    CopyPolicy,
    Defect,
    Mode,
    Policy,
    Protection,
    Rule,
    StackVerdict,
    Threshold,
)
from culld.rules import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_SHARE_OF_TIME = Field(
    strict=True,
    gt=0,
    le=1,
    allow_inf_nan=False,
    description="a share of the clip's time above 0 and up to 1, such as 0.5",
)


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
        if isinstance(self.reject, PrecisionTarget):
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


class Focus(DefectThresholds):
    """Missed focus on the main face: only tagged by default, because the blur can be meant."""

    tag: Probability = 0.7
    reject: Reject = None


class DefectsSection(Section):
    """The thresholds of each defect."""

    blur: Blur = Blur()
    under: Under = Under()
    over: Over = Over()
    focus: Focus = Focus()

    def to_thresholds(self, threshold_for: Callable[[Defect, float], float]) -> dict[Defect, Threshold]:
        """Return the records; `threshold_for` gives the number for a defect and a precision."""
        sections = (self.blur, self.under, self.over, self.focus)
        return {
            defect: section.to_threshold(functools.partial(threshold_for, defect))
            for defect, section in zip(Defect, sections, strict=True)
        }


class ClipsSection(Section):
    """From which share of its time with a defect a clip is tagged and rejected; without `tag` no clip is looked at."""

    tag: Annotated[float | None, _SHARE_OF_TIME, OrWord(types.NEVER)] = None
    reject: Annotated[float | None, _SHARE_OF_TIME, OrWord(types.NEVER)] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`clips: never` is short for no thresholds."""
        return {} if value == types.NEVER else value

    @model_validator(mode="after")
    def _ordered(self) -> ClipsSection:
        if self.reject is not None and self.tag is None:
            raise ValueError("reject is given without tag, and clips are only looked at with one; write tag: 0.5")
        if self.tag is not None and self.reject is not None and self.tag > self.reject:
            raise ValueError(f"tag {self.tag:g} is above reject {self.reject:g}; tag must be at most reject")
        return self

    def threshold(self) -> Threshold | None:
        """Return the record; None if clips are not judged."""
        return None if self.tag is None else Threshold(self.tag, self.reject)


_STARS = "a number of stars from 1 to 5, from which a rating protects"
_LIGHT = "a light value from -20 to 20, such as 3"
_PIXELS = "a number of pixels from 1 to 100000, such as 640"
_SHARE = "a share above 0 and below 1, such as 0.6"


class ProtectSection(Section):
    """What is never moved, whatever its scores."""

    rated: Annotated[int | None, Field(strict=True, ge=1, le=5, description=_STARS), OrWord(types.NEVER)] = 1
    edited: StrictBool = True
    night_below: Annotated[
        float | None,
        Field(strict=True, ge=-20, le=20, allow_inf_nan=False, description=_LIGHT),
        OrWord(types.NEVER),
    ] = 3.0
    series: StrictBool = True
    bursts: StrictBool = True
    smaller_than: Annotated[
        int | None, Field(strict=True, ge=1, le=100_000, description=_PIXELS), OrWord(types.NEVER)
    ] = 640

    def protection(self) -> Protection:
        """Return the record."""
        return Protection(self.rated, self.edited, self.night_below, self.series, self.bursts, self.smaller_than)


class BrakeSection(Section):
    """Above which share of the last photos that were judged, `window` at most, moves stop; None is never exceeded."""

    max_share: Annotated[
        float | None, Field(strict=True, gt=0, lt=1, allow_inf_nan=False, description=_SHARE), OrWord(types.NEVER)
    ] = 0.6
    window: Annotated[int, Field(strict=True, ge=10, le=100_000)] = 200

    def limit(self) -> BrakeLimit | None:
        """Return the record; None for no brake."""
        return None if self.max_share is None else BrakeLimit(self.max_share, self.window)


class NamedRule(Section):
    """What to do with a photo of which a condition holds."""

    name: Annotated[
        str,
        StringConstraints(strict=True, strip_whitespace=True, max_length=60, pattern=types.PRINTABLE),
        Field(description="a few words on one line"),
    ]
    when: Annotated[str, BeforeValidator(types.condition)]
    action: Action

    def rule(self) -> Rule:
        """Return the record."""
        return Rule(self.name, parse(self.when), self.action)


def _require_unique_names(rules: tuple[NamedRule, ...]) -> tuple[NamedRule, ...]:
    names = [rule.name for rule in rules]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two rules are called {min(twice)!r}; give each a name of its own")
    return rules


@dataclass(frozen=True, slots=True)
class FolderValues:
    """The values of a policy that a folder may have of its own."""

    mode: Mode
    enhance: CopyPolicy
    clips: Threshold | None


class PolicySection(Section):
    """What happens to a photo; without a mode nothing is ever moved."""

    mode: Mode = Mode.OBSERVE
    defects: DefectsSection = DefectsSection()
    stack_verdict: StackVerdict = StackVerdict.BEST
    protect: ProtectSection = ProtectSection()
    rules: Annotated[
        tuple[NamedRule, ...], AfterValidator(_require_unique_names), Field(description="one `- name: ...` for each")
    ] = ()
    brake: BrakeSection = BrakeSection()
    enhance: CopyPolicy = CopyPolicy.NEVER
    clips: ClipsSection = ClipsSection()

    def to_policy(self, here: FolderValues, thresholds: Mapping[Defect, Threshold]) -> Policy:
        """Return the record for a folder.

        The digest is that of the meaning of the policy: formatting, comments and the order of keys do not change it.
        """
        return Policy(
            mode=here.mode,
            blur=thresholds[Defect.BLUR],
            under=thresholds[Defect.UNDER],
            over=thresholds[Defect.OVER],
            focus=thresholds[Defect.FOCUS],
            digest=self._digest(here, thresholds),
            stack_verdict=self.stack_verdict,
            protect=self.protect.protection(),
            named_rules=tuple(rule.rule() for rule in self.rules),
            brake=self.brake.limit(),
            enhance=here.enhance,
            clips=here.clips,
        )

    def _digest(self, here: FolderValues, thresholds: Mapping[Defect, Threshold]) -> str:
        meaning = self.model_dump(mode="json", exclude={"mode", "defects", "enhance", "clips"})
        defects = {defect: asdict(threshold) for defect, threshold in thresholds.items()}
        meaning |= {"mode": here.mode, "defects": defects}
        # The digests of older policies, which journals hold, stay as they are.
        if here.enhance is not CopyPolicy.NEVER:
            meaning["enhance"] = here.enhance
        if here.clips is not None:
            meaning["clips"] = asdict(here.clips)
        text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]
