"""The use case `culld archive apply`: give the rows of an archive to `app.take_scores`, which decides and acts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.model_files import load_model
from culld.app.take_scores import TakeRequest, require_watched, take_scores
from culld.archive.nodes.ray_session import require_extra
from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.parquet.row_index import RowIndex, index_below
from culld.archive.parquet.stored_rows import StoredRows
from culld.archive.scoring.plan import missing_shards
from culld.errors import ConfigError, SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.app.take_scores import Shown
    from culld.app.taken_counts import Taken
    from culld.archive.parquet.folder import Manifest
    from culld.config import Config

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """The folder of the archive, and the folder of this machine whose photos are judged.

    `source` is the URI or the folder of the archive that `root` stands for; None: `root` itself, or else the only URI.
    """

    archive: Path
    root: Path
    source: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an archive below `base`: their number, and how many shards of the last scan are not written yet."""

    base: str
    count: int
    missing_shards: int


@dataclass(frozen=True, slots=True)
class Applied:
    """The rows, and what became of the photos."""

    rows: Rows
    taken: Taken

    @property
    def without_file(self) -> int:
        """The number of rows without a photo in the folder: it was moved, renamed or removed since."""
        return max(0, self.rows.count - self.taken.found.scored)


def apply_archive(config: Config, request: ApplyRequest, shown: Shown, show_rows: Callable[[Rows], object]) -> Applied:
    """Judge the photos below a folder by the rows of an archive, and carry the decisions out; `show_rows` comes first.

    Raises ConfigError for a folder that is no archive or that is not watched, for another model, and if no row fits;
    SystemFaultError as `take_scores`, and if the archive cannot be read.
    """
    require_extra()
    folder = request.root.resolve()
    require_watched(config, folder)
    archive = ArchiveFolder(request.archive.resolve())
    with archive.read() as origin:
        source, rows = _open_rows(config, archive, origin, folder, request.source)
        show_rows(rows)
        return Applied(rows, take_scores(config, TakeRequest(folder, request.dry_run), source, shown))


def _open_rows(
    config: Config, archive: ArchiveFolder, origin: Manifest, folder: Path, source: str | None
) -> tuple[StoredRows, Rows]:
    """Return the rows of the photos below a folder; raises ConfigError if there are none."""
    import pyarrow as pa

    try:
        _require_model(config, origin, archive.path)
        base, index = _indexed(archive, _bases(origin, folder, source))
        if not len(index):
            raise ConfigError((_no_rows(archive, origin, folder, source),))
        rows = Rows(base, len(index), missing_shards(archive))
    except (OSError, pa.ArrowException) as error:
        raise SystemFaultError(f"{display_path(archive.path)} cannot be read: {error}") from error
    return StoredRows(index, base, folder, origin.model), rows


def _require_model(config: Config, origin: Manifest, archive: Path) -> None:
    _, card = load_model(config.model.path)
    if origin.model != card.id:
        text = (
            f"{display_path(archive)} was scored by the model {origin.model}, and the policy is for {card.id}:"
            " thresholds of one network do not fit the scores of another; set model.path, or score the photos again"
        )
        raise ConfigError((text,))


def _indexed(archive: ArchiveFolder, bases: Sequence[str]) -> tuple[str, RowIndex]:
    """Return the first of some folders and URIs that has rows, and their index; an empty index if none has."""
    for base in bases:
        index = index_below(archive.rows(), base)
        if len(index):
            break
    return base, index


def _bases(origin: Manifest, folder: Path, source: str | None) -> list[str]:
    """Return the folders and URIs that the paths of the rows may begin with; raises ConfigError for another archive."""
    if source is None:
        elsewhere = [
            uri for uri in origin.uris if not folder.is_relative_to(uri) and not Path(uri).is_relative_to(folder)
        ]
        return [str(folder), *(elsewhere if len(origin.uris) == 1 else ())]
    wanted = source.removeprefix("file://").rstrip("/") or "/"
    if not _SCHEME.match(wanted):
        wanted = os.path.normpath(wanted)
    if not any(wanted == uri or wanted.startswith(uri.rstrip("/") + "/") for uri in origin.uris):
        raise ConfigError((f"--from {source}: the archive holds no such URI; it has {' '.join(origin.uris)}",))
    return [wanted]


def _no_rows(archive: ArchiveFolder, origin: Manifest, folder: Path, source: str | None) -> str:
    shown = display_path(archive.path)
    if source is not None:
        return f"{shown} has no photo below {source}"
    return (
        f"{shown} has no photo below {display_path(folder)}; if this folder holds photos that were scored elsewhere,"
        f" name which of these it stands for, such as --from {origin.uris[0] if origin.uris else 'URI'}"
        f" ({' '.join(origin.uris)})"
    )
