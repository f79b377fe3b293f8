"""Series of shots: brackets, focus stacks, panoramas and bursts; pure.

They are detected by camera facts, by the time between shots, and by the distance of difference hashes. A false series
means only that a photo is tagged instead of moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.records import Series, SeriesKind
from culld.stages.group.brackets import extends_bracket, is_bracket, ladders
from culld.stages.group.focus_stacks import extends_stack, is_focus_stack, is_steady
from culld.stages.group.panoramas import panoramas
from culld.stages.group.scene import is_one_scene, is_one_setup, scenes, spans, widened
from culld.stages.group.timing import QUICK_GAP_S, gap_s, order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from culld.records import Assessment, RootedPath
    from culld.stages.group.scene import Span

LONGEST_GAP_S: Final = 60.0
"""The longest pause in a series: the photographer sets the next exposure, or the focus, by hand."""


def series_of(shots: Iterable[Assessment], *, may_turn: bool = True) -> dict[RootedPath, Series]:
    """Return the series of each shot in a series, by path; `shots` are of one camera and folder, in any order.

    `may_turn` is False if it is known that no panorama is among them: the search for one takes most of the time.
    """
    found: dict[RootedPath, Series] = {}
    timed = sorted((shot for shot in shots if shot.photo.camera.taken_at), key=order)
    for start, end in spans(timed, (0, len(timed)), _follows) if timed else ():
        series = sorted(
            _series_in(timed[start:end], may_turn=may_turn), key=lambda series: series.kind is SeriesKind.BURST
        )
        for one in series:
            for shot in one.members:
                found.setdefault(shot.photo.place, one)
    return found


def _follows(one: Assessment, other: Assessment) -> bool:
    """Return whether a pause is short enough for one series; noise reduction takes as long as the exposure again."""
    return gap_s(one, other) <= LONGEST_GAP_S + (one.photo.camera.exposure.time_s or 0.0)


def _series_in(run: list[Assessment], *, may_turn: bool) -> Iterator[Series]:
    """Yield the series in a run; a shot may be in a burst and in another series."""
    if len(run) < 2:
        return
    yield from (Series(SeriesKind.BRACKET, tuple(ladder)) for ladder in ladders(run))
    yield from (Series(SeriesKind.PANORAMA, tuple(turned)) for turned in (panoramas(run) if may_turn else ()))
    for scene in scenes(run):
        if scene[1] - scene[0] > 1:
            yield from _brackets(run, scene)
            yield from _focus_stacks(run, scene)
            yield from _quick_series(run, scene)


def _brackets(run: Sequence[Assessment], scene: Span) -> Iterator[Series]:
    """Yield the bracket that a scene is, or the brackets among its shots of one aperture, ISO and focal length."""
    is_whole = is_bracket(run[slice(*scene)])
    for span in [scene] if is_whole else spans(run, scene, is_one_setup):
        if is_whole or is_bracket(run[slice(*span)]):
            start, end = widened(run, span, extends_bracket)
            yield Series(SeriesKind.BRACKET, tuple(run[start:end]))


def _focus_stacks(run: Sequence[Assessment], scene: Span) -> Iterator[Series]:
    for span in spans(run, scene, is_steady):
        if is_focus_stack(run[slice(*span)]):
            start, end = widened(run, span, extends_stack)
            yield Series(SeriesKind.FOCUS_STACK, tuple(run[start:end]))


def _quick_series(run: Sequence[Assessment], scene: Span) -> Iterator[Series]:
    """Yield the brackets and bursts in quick succession among shots of one scene."""
    for quick in spans(run, scene, _follows_quickly):
        if is_bracket(run[slice(*quick)]):
            yield Series(SeriesKind.BRACKET, tuple(run[slice(*quick)]))
        else:
            for start, end in spans(run, quick, is_one_scene):
                if end - start > 1:
                    yield Series(SeriesKind.BURST, tuple(run[start:end]))


def _follows_quickly(one: Assessment, other: Assessment) -> bool:
    return gap_s(one, other) <= QUICK_GAP_S
