"""The use case `doctor`: every check of the installation; it also runs if a library of culld is missing."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from culld.inference.engine_selection import GPUS
from culld.system.doctor import environment
from culld.system.doctor.extras import extras

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culld.system.doctor.checks import Check


def installation_checks(config_file: Path | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield each check as soon as it is done; `config_file` is the value of `--config` (None: not given).

    If a library is missing, the checks that need the libraries are skipped.
    """
    yield environment.python(sys.version_info[:3])
    yield environment.heic()
    yield from extras()
    yield environment.gpu(GPUS)
    yield environment.clock(datetime.now(UTC), Path(__file__).stat().st_mtime)
    libraries = list(environment.libraries())
    yield from libraries
    if any(check.health == "bad" for check in libraries):
        return
    from culld.app.doctor_configured import configured_checks  # noqa: PLC0415 (which needs these libraries)

    yield from configured_checks(config_file, environ)
