"""The use case `enhance`: repaired copies beside photos, each kept only if it is measurably better.

The photos are only read; they are decoded, repaired and judged in one worker process, since they are untrusted. The
worker writes no file: this process writes the copy that it returns.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, Protocol

from culld.app.copy_file import copy_place, remove_left_copies, taken, write_copy
from culld.app.enhance_messages import Enhanced, EnhanceRequest, EnhanceResult, EnhanceSettings
from culld.app.model_files import load_model, locate_face_networks, locate_shipped, resolve_policies
from culld.errors import PhotoError
from culld.files.open_beneath import exists
from culld.files.os_errors import NameTakenError
from culld.inference.pool import Pool
from culld.inference.process_start import CONTEXT
from culld.inference.worker_process import WorkerLimits
from culld.records import Defect
from culld.stages.plan import KEYWORDS
from culld.tags.names import stem_of_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from culld.app.enhance_messages import EnhanceHandler, Repair
    from culld.config import Config
    from culld.records import FileSnapshot, Policy, RootedPath

SLOWER: Final = 10
"""A repair may take so many times as long as the judgement of a photo: 24 megapixels take half a minute of a core."""


class Progress(Protocol):
    """The share 0..1 of the current photo that is repaired, in memory that both processes see."""

    value: float


def create_enhancer(settings: EnhanceSettings, progress: Progress) -> EnhanceHandler:
    """Create the handler of requests in a worker process, which notes in `progress` how far it is."""
    from culld.app.enhance_worker import EnhanceWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return EnhanceWorker(settings, functools.partial(setattr, progress, "value"))


def enhance_photos(
    config: Config, photos: Sequence[FileSnapshot], repair: Repair, beat: Callable[[float], None] = lambda _done: None
) -> Iterator[EnhanceResult]:
    """Repair photos one after the other in a new worker process, and yield the results in order.

    `beat` is called about every second with the number of photos done, the repaired share of the current one included.
    Raises SystemFaultError if a network cannot be used.
    """
    limits = WorkerLimits(config.limits.memory, SLOWER * config.limits.time.total_seconds())
    progress: Progress = CONTEXT.RawValue("d", 0.0)  # shared memory: the answer of a worker comes only at its end
    with Pool(functools.partial(create_enhancer, settings_of(config), progress), 1, limits) as pool:
        for number, photo in enumerate(photos):
            progress.value = 0.0
            request = EnhanceRequest(photo.place, repair)
            yield _enhanced(pool, request, functools.partial(_tell, beat, number, progress))


def _tell(beat: Callable[[float], None], number: int, progress: Progress) -> None:
    beat(number + progress.value)


def settings_of(config: Config, policy: Policy | None = None) -> EnhanceSettings:
    """Return the settings of a worker, by default with the policy of the configuration.

    Raises ConfigError or SystemFaultError if thresholds or networks are missing.
    """
    policy = policy or resolve_policies(config).default
    return EnhanceSettings(
        load_model(config.model.path)[0],
        locate_face_networks(),
        locate_shipped("restore-jpeg"),
        locate_shipped("restore-exposure"),
        config.limits.pixels,
        config.limits.file_size,
        {defect: policy.of(defect).tag for defect in Defect},
        frozenset(config.tags.prefix + KEYWORDS[defect] for defect in (Defect.UNDER, Defect.OVER)),
    )


def _enhanced(pool: Pool, request: EnhanceRequest, beat: Callable[[], None]) -> EnhanceResult:
    photo = request.place
    try:
        if why := _reason_against(photo):
            return EnhanceResult(photo.path, None, Enhanced(why))
        (found,) = pool.map([request], beat)
        if isinstance(found, PhotoError) or not found.copy:
            return EnhanceResult(photo.path, None, found)
        place = copy_place(photo)
        write_copy(place, found.copy, photo, "run the command again")
        return EnhanceResult(photo.path, place.path, found)
    except NameTakenError as error:  # another process made it meanwhile
        return EnhanceResult(photo.path, None, Enhanced(str(error)))
    except PhotoError as error:
        return EnhanceResult(photo.path, None, error)


def _reason_against(photo: RootedPath) -> str:
    """Return why no copy of a photo is made, whatever it shows; empty if one may be made."""
    if stem_of_parent(photo.relative.name) is not None:
        return "it is a repaired copy itself"
    place = copy_place(photo)
    remove_left_copies(place)
    return taken(place) if exists(place) else ""
