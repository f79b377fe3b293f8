"""The use case `culld archive score`: one row for each photo, made by actors, and made once."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from culld.app.model_files import load_model
from culld.archive.nodes.ray_cluster import require_address
from culld.archive.nodes.ray_session import require_extra
from culld.archive.nodes.session import started_crew
from culld.archive.objects.listing import require_readable
from culld.archive.objects.scratch import remove_left_copies
from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.parquet.join import join_shards, separate_shards
from culld.archive.records import Status, Tally
from culld.archive.scoring.plan import count_in, deleted_in, make_plan, shards_of
from culld.archive.scoring.shards import deleted_row, write_rows
from culld.archive.scoring.uris import Listing, require_outside, resolved
from culld.errors import SystemFaultError
from culld.imaging.formats import supported_extensions
from culld.stages.watch.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from culld.archive.nodes.crew import Crew, Progress
    from culld.archive.records import ScoreRequest
    from culld.config import Config

    ShowProgress = Callable[[int], AbstractContextManager[Progress]]
    """Begins to show the progress over so many photos."""


_MANY_SHARDS: Final = 1000
"""To join so many takes ten seconds or more, so the user is told."""


@dataclass(slots=True)
class Result:
    """The counts of a run, its time in seconds without the start of Ray, and what could not be listed.

    `kept` counts the photos whose rows an interrupted run had committed.
    """

    tally: Tally = field(default_factory=Tally)
    kept: int = 0
    seconds: float = 0.0
    missing: list[str] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)


def score_archive(config: Config, request: ScoreRequest, show: ShowProgress, tell: Callable[[str], None]) -> Result:
    """Finish the scan that was interrupted, if there is one, then score new and changed photos.

    Raises ConfigError for URIs and folders that cannot be used, SystemFaultError if the extra, the model, the output or
    Ray fails. Nothing but the folder of the archive is written. `tell` takes sentences for the user: about the
    cluster, and about work that takes minutes.
    """
    require_extra()
    if request.address:
        require_address(request.address)
    uris = resolved(request.uris)
    require_outside(request.out, uris)
    require_readable(uris, Scanner(supported_extensions()).is_photo)
    _, card = load_model(config.model.path)
    try:
        request.out.mkdir(parents=True, exist_ok=True)
        folder = ArchiveFolder(request.out.resolve())
        manifest = Manifest(uris, card.id, str(request.sharpness))
        with folder.locked(), _Run(folder, show, lambda: started_crew(config, request, folder, manifest, tell)) as run:
            folder.open(manifest)
            if scan := folder.last_scan():
                run.finish(scan)
            listing = Listing(uris)
            if scan := make_plan(folder, listing, request.shard_size):
                run.finish(scan)
            _join(folder, tell)
            run.result.missing, run.result.unreadable = listing.missing, listing.unreadable
            return run.result
    except OSError as error:
        raise SystemFaultError(f"the archive cannot be written: {error.strerror or error}") from error


def _join(folder: ArchiveFolder, tell: Callable[[str], None]) -> None:
    if (count := separate_shards(folder)) >= _MANY_SHARDS:
        tell(f"joining the rows of {count} shards into larger files")
    join_shards(folder)


class _Run(contextlib.ExitStack):
    """One run; Ray is started for the first shard that is not committed."""

    def __init__(
        self, folder: ArchiveFolder, show: ShowProgress, start: Callable[[], AbstractContextManager[Crew]]
    ) -> None:
        super().__init__()
        self.result = Result()
        self._folder = folder
        self._show = show
        self._start = start
        self._crew: Crew | None = None

    def finish(self, scan: int) -> None:
        """Make the rows of a plan that are not committed."""
        deleted = self._folder.deleted(scan)
        if not deleted.exists():
            gone = deleted_in(self._folder, scan)
            write_rows(deleted, map(deleted_row, gone), scan)
            self.result.tally += Tally({Status.DELETED: len(gone)})
        done = self._folder.committed(scan)
        photos = sum(len(each.places) for each in shards_of(self._folder, scan) if each.number not in done)
        if not photos:
            return
        self.result.kept += count_in(self._folder, scan) - photos
        crew = self._started()
        begun = time.monotonic()
        rest = (each for each in shards_of(self._folder, scan) if each.number not in done)
        with self._show(photos) as progress:
            self.result.tally += crew.score(rest, progress)
        self.result.seconds += time.monotonic() - begun

    def _started(self) -> Crew:
        if self._crew is None:
            self.callback(remove_left_copies)  # of actors that Ctrl-C has ended
            self._crew = self.enter_context(self._start())
        return self._crew
