"""`culld segment` for a clip: its regions over time as text and JSON, and a new clip under their contours."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Final

from culld.app.segment_clip import segment_clip
from culld.cli import exit_codes
from culld.cli.photo_files import json_path, place_of
from culld.cli.progress import progress_bar
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.app.segment_clip_messages import ClipRegions
    from culld.config import Config

SUFFIX: Final = ".webm"


def run(config: Config, path: Path, out: Path | None, *, as_json: bool) -> int:
    """Segment the clip with a progress bar on a terminal; raises PhotoError if it cannot be segmented."""
    if out is not None and out.suffix.lower() != SUFFIX:
        raise ConfigError((f"the overlay of a clip is a WebM file: name it {display_path(out.with_suffix(SUFFIX))}",))
    with _sigterm_ends_in_order(), progress_bar("segmenting", 1.0, as_share=True) as bar:
        found = segment_clip(config, place_of(path), out, bar.set)
    if out is not None:
        print(f"overlay written to {display_path(out)}", file=sys.stderr)
    print(json.dumps(_as_json(path, found)) if as_json else found.sentence)
    return exit_codes.FINE


def _as_json(path: Path, found: ClipRegions) -> dict[str, object]:
    return {
        "path": json_path(path),
        "model": found.model,
        "width": found.width,
        "height": found.height,
        "seconds": round(found.seconds, 3),
        "frames": found.frames,
        "sentence": found.sentence,
        "shares": {kind: round(share, 4) for kind, share in found.shares.items()},
        "ranges": {
            kind: [[round(start, 3), round(end, 3)] for start, end in ranges] for kind, ranges in found.ranges.items()
        },
    }


@contextlib.contextmanager
def _sigterm_ends_in_order() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that the unfinished overlay is removed and the worker process ended."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
