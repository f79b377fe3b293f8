"""Telling a person of what cannot wait, by a command or a webhook of theirs; without either it is only logged."""

from __future__ import annotations

import json
import logging
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """A command that is given each alert as JSON on its input, and an address that it is posted to; either may lack."""

    command: Sequence[str] = ()
    webhook: str | None = None

    def ring(self, subject: str, text: str, **more: object) -> None:
        """Tell; what does not work is logged, and never hinders culld."""
        told = {"subject": subject, "text": text, **more}
        if self.command:
            self._run(json.dumps(told).encode())
        if self.webhook is not None:
            self._post(told)

    def _run(self, told: bytes) -> None:
        try:
            subprocess.run(self.command, input=told, timeout=_PATIENCE_S, check=True, capture_output=True)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("the alert command %s did not work: %s", self.command[0], error)

    def _post(self, told: Mapping[str, object]) -> None:
        request = urllib.request.Request(  # noqa: S310 (the schema lets only http and https through)
            self.webhook or "", json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S):  # noqa: S310
                pass
        except (OSError, urllib.error.URLError) as error:
            log.warning("the alert could not be posted: %s", error)
