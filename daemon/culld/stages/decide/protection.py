"""The protection of photos that the policy rejects; pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from culld.records import Format, SeriesKind, Unreadable, display_path
from culld.stages.decide.bursts import best_of, lead_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culld.records import Assessment, Policy, Protection, Series, Stack, UserMetadata


def protection_reason(
    stack: Stack, rules: Policy, *, restored: bool, too_small: Sequence[Assessment] = ()
) -> str | None:
    """Return why a photo is not moved, as a clause, or None.

    `restored`: the user restored it before. `too_small`: the small photos of the shot without which it is not rejected.
    """
    if restored:
        return "the user restored this photo"
    if spared := _incomplete(stack) or _in_avchd(stack) or _worked_on(stack, rules.protect):
        return spared
    if others := [Path(place.relative.name) for place in stack.blocking_files] + [
        Path(path) for path in stack.user_metadata.ratings_outside
    ]:
        return f"{_listed(others)} to it"
    if too_small:
        return _small_reason(stack, rules.protect, too_small)
    return None if stack.series is None else series_reason(stack, stack.series, rules)


def inseparable_reason(stack: Stack) -> str | None:
    """Return why the move of a photo would separate the files of its shot, as a clause, or None."""
    if unread := [partner for partner in stack.siblings if isinstance(partner.result, Unreadable)]:
        return f"{names_of(unread)}, the same shot, could not be read"
    if stack.blocking_files:
        return f"{_listed(Path(place.relative.name) for place in stack.blocking_files)} to it"
    return _in_avchd(stack)


def _in_avchd(stack: Stack) -> str | None:
    """Return that a clip is a part of an AVCHD folder, as a clause, or None: the index of the folder names its file."""
    photo = stack.primary.photo
    parts = {part.casefold() for part in photo.place.path.parent.parts} if photo.format is Format.VIDEO else set()
    return "it is a part of an AVCHD folder (BDMV), whose index names it" if "bdmv" in parts else None


def _incomplete(stack: Stack) -> str | None:
    """Return which part of the shot could not be read, as a clause, or None."""
    if stack.user_metadata.incomplete:
        return f"a part of the file is missing ({stack.user_metadata.incomplete})"
    if unread := [partner for partner in stack.siblings if isinstance(partner.result, Unreadable)]:
        return f"{names_of(unread)}, the same shot, could not be read"
    return None


def series_reason(stack: Stack, series: Series, rules: Policy) -> str | None:
    """Return why a shot of a series is not moved, as a clause, or None."""
    if series.kind is not SeriesKind.BURST:
        reason = f"it is one of {len(series.members)} shots of a {series.kind} (policy.protect.series)"
        return reason if rules.protect.series else None
    best = best_of(series, rules)
    if rules.protect.bursts and any(member.photo.place == best.photo.place for member in stack.members):
        return f"it is the best of a burst of {len(series.members)}{lead_text(series, best)} (policy.protect.bursts)"
    return None


def names_of(members: Iterable[Assessment]) -> str:
    """Return the file names of photos, sorted and joined by "and"."""
    return " and ".join(sorted(display_path(Path(member.photo.place.relative.name)) for member in members))


def _worked_on(stack: Stack, protect: Protection) -> str | None:
    metadata = stack.user_metadata
    if protect.rated and (rated := _rated(metadata, protect.rated)):
        return f"it is rated ({', '.join(rated)}; policy.protect.rated)"
    edited = [*metadata.edited_by, *sorted(display_path(Path(place.relative.name)) for place in stack.editor_sidecars)]
    if protect.edited and edited:
        return f"it was edited in another program ({', '.join(edited)}; policy.protect.edited)"
    if (protect.rated or protect.edited) and metadata.unclear:
        return f"its metadata cannot be read ({metadata.unclear}), so it may be rated or edited"
    return None


def _small_reason(stack: Stack, protect: Protection, too_small: Sequence[Assessment]) -> str:
    """Return that a photo is too small to judge, as a clause: the primary one if it is among them."""
    smallest = next((each for each in too_small if each is stack.primary), too_small[0])
    who = "it is" if smallest is stack.primary else f"{names_of([smallest])}, the same shot, is"
    limit = f"policy.protect.smaller_than {protect.smaller_than}"
    return f"{who} too small to judge: its longer side has {smallest.longest} pixels ({limit})"


def _rated(metadata: UserMetadata, fewest: int) -> list[str]:
    """Return the ratings that protect a photo: those of at least `fewest` stars, labels and flags."""
    return [rating.source for rating in metadata.stars if rating.stars >= fewest] + list(metadata.ratings)


def _listed(names: Iterable[Path]) -> str:
    *others, last = sorted(display_path(name) for name in names)
    return f"{', '.join(others)} and {last} belong" if others else f"{last} belongs"
