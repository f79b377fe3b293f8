"""Decisions and photos as values of JSON: the same for `--json` and for the review page."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.app.remark import Side
from culld.records import Defect, display_path
from culld.stages.decide.rule_variables import region_variables

if TYPE_CHECKING:
    from culld.app.burst_view import BurstView, FrameNote
    from culld.app.remark import Remark
    from culld.records import Face, Policy, RecordedCopy, RecordedDecision, Scores, Subject
    from culld.records.clips import ClipJudgement
    from culld.rules import Fact


def decision_json(decision: RecordedDecision) -> dict[str, object]:
    """Return a decision with the keys of `culld score`, and with its outcome."""
    scores = decision.scores
    return {
        "at": decision.made_at.isoformat(timespec="seconds"),
        "path": display_path(decision.place.path),
        "blur": scores and scores.blur,
        "under": scores and scores.under,
        "over": scores and scores.over,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "model": decision.model,
        "policy": decision.policy,
        "state": decision.state,
        "now": display_path(decision.now.path) if decision.ended or decision.restored else None,
        "note": decision.note,
        "fault": decision.fault,
        "restored": decision.restored_at and decision.restored_at.isoformat(timespec="seconds"),
    }


def explanation_json(case: RecordedDecision, policy: Policy) -> dict[str, object]:
    """Return all that a decision was made from, and the thresholds of the policy that is in force."""
    primary = case.stack.primary
    return {
        "path": display_path(primary.photo.place.path),
        "now": display_path(case.now.path),
        "verdict": case.verdict,
        "rule": case.rule,
        "reason": case.reason,
        "clip": clip_json(primary.clip),
        "scores": {defect.value: getattr(primary.result, defect.value, None) for defect in Defect},
        "subject": subject_json(primary.subject),
        "model": primary.model,
        "policy": case.policy,
        "policy_in_force": policy.digest,
        "thresholds": thresholds_json(policy.about(primary.photo.format)),
        "facts": facts_json(case),
        "restored": case.content_restored,
    }


def thresholds_json(policy: Policy) -> dict[str, dict[str, float | None]]:
    """Return the thresholds of each defect; None for one that no score reaches."""
    every = {defect.value: policy.of(defect) for defect in Defect}
    return {
        name: {"tag": limit.tag if math.isfinite(limit.tag) else None, "reject": limit.reject}
        for name, limit in every.items()
    }


def clip_json(clip: ClipJudgement | None) -> dict[str, Any] | None:
    """Return what was judged of a clip: its length, shares of the time, good range and verdict; None for a photo."""
    if clip is None:
        return None
    return {
        "seconds": _rounded(clip.facts.seconds, 3),
        "codec": clip.facts.codec,
        "transfer": clip.facts.transfer,
        "shares": {name: _rounded(share) for name, share in clip.shares.items()},
        "good": None if clip.good is None else [_rounded(each, 3) for each in clip.good],
        "verdict": clip.verdict,
        "sentence": clip.sentence,
    }


def facts_json(case: RecordedDecision) -> dict[str, object]:
    """Return the facts about the photo of a decision and about the files of its shot."""
    stack, photo = case.stack, case.photo
    camera, exposure = photo.camera, photo.camera.exposure
    return {
        "camera": camera.model,
        "taken_at": camera.taken_at and camera.taken_at.isoformat(),
        "exposure_time": exposure.time_s,
        "aperture": exposure.aperture,
        "iso": exposure.iso,
        "bias": exposure.bias_ev,
        "light_value": _rounded(exposure.light_value, 2),
        "series_ev": _rounded(stack.series_ev, 2),
        "focal_length": camera.focal_mm,
        "format": photo.format,
        "longest": stack.primary.longest,
        **{name: _short(value) for name, value in region_variables(stack.primary).items()},
        "belongs_to_it": [display_path(Path(each.relative.name)) for each in (*stack.sidecars, *stack.blocking_files)],
        "same_shot": [display_path(Path(place.relative.name)) for place in case.siblings],
    }


def scores_json(scores: Scores | None) -> dict[str, float | None]:
    """Return the probabilities with four decimals; None for those that the photo does not have."""
    return {
        "blur": _rounded(scores.blur) if scores else None,
        "under": _rounded(scores.under) if scores else None,
        "over": _rounded(scores.over) if scores else None,
        "missed_focus": _rounded(scores.focus) if scores else None,
    }


def subject_json(subject: Subject | None) -> dict[str, Any]:
    """Return sharpness and faces; boxes are x, y, width and height in fractions 0..1 of the upright photo."""
    faces = () if subject is None else subject.faces
    return {
        "sharpness": None if subject is None else _rounded(subject.sharpness),
        "sharp_share": None if subject is None else _rounded(subject.sharp_share),
        "faces": [_face(face) for face in faces],
    }


def burst_json(view: BurstView | None) -> dict[str, Any] | None:
    """Return a view of a series: the best frame, and for each frame what is worse, better, and neither; else None."""
    if view is None:
        return None
    return {
        "kind": view.kind,
        "best": view.best and {"id": view.best.number, "name": view.best.name},
        "is_named": view.is_named,
        "sentence": view.sentence,
        "notes": list(view.notes),
        "frames": [_frame(note) for note in view.rows],
    }


def copy_json(copy: RecordedCopy | None) -> dict[str, object] | None:
    """Return how far the repaired copy of a photo is, and why; None if none was asked for."""
    if copy is None:
        return None
    return {
        "state": copy.state,
        "path": None if copy.place is None else display_path(copy.place.path),
        "digest": copy.digest,
        "repair": copy.repair or None,
        "reason": copy.reason,
        "by_person": copy.by_person,
        "asked_at": copy.asked_at.isoformat(timespec="seconds"),
        "ended_at": copy.ended_at and copy.ended_at.isoformat(timespec="seconds"),
    }


def _frame(note: FrameNote) -> dict[str, Any]:
    frame = note.frame
    return {
        "id": frame.number,
        "name": frame.name,
        "state": frame.state,
        "is_gone": frame.is_gone,
        "is_best": note.is_best,
        "text": note.text,
        "short": note.short,
        **{side.value: [_remark(remark) for remark in note.on(side)] for side in Side},
    }


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "aspect": remark.aspect,
        "text": remark.text,
        "short": remark.short,
        "value": _rounded(remark.value),
        "best": _rounded(remark.best),
    }


def _face(face: Face) -> dict[str, Any]:
    return {
        "box": [_rounded(value) for value in face.box],
        "blur": _rounded(face.blur),
        "light": _rounded(face.light),
    }


def _short(value: Fact) -> Fact:
    return round(value, 4) if isinstance(value, float) else value


def _rounded(value: float | None, places: int = 4) -> float | None:
    return None if value is None else round(value, places)
