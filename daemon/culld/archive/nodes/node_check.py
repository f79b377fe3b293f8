"""What each node of a cluster must have: this culld, its model, the photos, and the folder of the archive."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from culld import __version__
from culld.app.model_files import load_model
from culld.errors import SystemFaultError
from culld.files.temp_names import temp_name
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """The version of culld, the folder and id of the model, paths of photos, and a file in the folder of the archive.

    `samples` has one path for each URI that is a path: of a folder and of a glob the first entry. `token` is a file
    that the driver made in the folder of the archive.
    """

    version: str
    model_folder: Path | None
    model: str
    samples: tuple[Path, ...]
    token: Path

    def problem(self) -> str:
        """Return, as a clause, why this machine cannot score; empty if it can. Only the folder of the archive is used.

        A file is written beside the token, renamed, and removed, since an actor commits shards so.
        """
        if self.version != __version__:
            return f"has culld {__version__}, and not {self.version}"
        try:
            _, card = load_model(self.model_folder)
        except SystemFaultError as error:
            return f"cannot load the model: {error}"
        if card.id != self.model:
            return f"has the model {card.id}, and not {self.model}"
        missing = [display_path(path) for path in self.samples if not _is_readable(path)]
        if missing:
            return f"cannot read {', '.join(missing)}; photos must have the same path on each node"
        return self._problem_of_archive()

    def _problem_of_archive(self) -> str:
        folder = display_path(self.token.parent)
        if not self.token.exists():
            return f"does not see the archive in {folder}; it must be a shared folder with the same path on each node"
        hidden, renamed = self.token.with_name(temp_name()), self.token.with_name(temp_name())
        try:
            hidden.write_bytes(b"")
            hidden.replace(renamed)
            renamed.unlink()
        except OSError as error:
            return f"cannot write to {folder}: {error.strerror}"
        return ""


def samples_of(uris: Sequence[str]) -> tuple[Path, ...]:
    """Return a path that must be readable on each node for each URI that is a path of this machine; empty ones not."""
    found = (_sample(uri) for uri in uris if uri.startswith("/"))
    return tuple(path for path in found if path is not None)


def _sample(uri: str) -> Path | None:
    if Path(uri).is_dir():
        return next(Path(uri).iterdir(), None)
    if Path(uri).exists():
        return Path(uri)
    return next(map(Path, glob.iglob(uri, recursive=True)), None)  # noqa: PTH207 (an absolute pattern)


def _is_readable(path: Path) -> bool:
    return os.access(path, os.R_OK)
