"""The reload of the policy from a saved configuration file; a file with mistakes leaves the policy unchanged."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from culld.app.model_files import resolve_policies
from culld.config import load_config
from culld.errors import ConfigError, PhotoError, SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.app.build import PolicySet
    from culld.config import Config
    from culld.records import FolderPolicies
    from culld.unexpected import UnexpectedErrors

log = logging.getLogger(__name__)


class PolicyReload:
    """Applies the policy of the configuration file at `path`; any other change in the file needs a restart.

    `problem` is the reason why the last reload failed; None if it succeeded.
    """

    def __init__(self, path: Path, config: Config, policies: PolicySet, unexpected: UnexpectedErrors) -> None:
        """Hold `config`, the configuration at the start, to compare each reloaded one with it."""
        self.problem: str | None = None
        self._path = path
        self._config = config
        self._policies = policies
        self._unexpected = unexpected

    def reload(self, environ: Mapping[str, str]) -> None:
        """Read the file, and apply its policy if the whole file is valid; otherwise log and keep the problem."""
        try:
            fresh = self._unexpected.attempt("reading the policy file", partial(self._loaded, environ))
        except (ConfigError, SystemFaultError) as error:
            self.problem = str(error)
        else:
            if isinstance(fresh, PhotoError):
                self.problem = str(fresh)
            else:
                self._take_over(*fresh)
        if self.problem:
            log.error("config reload failed, still using policy %s: %s", self._policies.digest, self.problem)

    def _loaded(self, environ: Mapping[str, str]) -> tuple[Config, FolderPolicies]:
        config = load_config(self._path, environ)
        return config, resolve_policies(config)

    def _take_over(self, fresh: Config, policies: FolderPolicies) -> None:
        self.problem = None
        if [watch.path for watch in fresh.watch] == [watch.path for watch in self._config.watch]:
            self._policies.replace(policies)
            log.info("policy %s is in force", self._policies.digest)
            if self._policies.missing_extra:
                log.warning("%s", self._policies.missing_extra)
        elif policies.default.digest != self._policies.digest:
            log.warning(
                "the saved policy (%s) is not in force until culld is restarted, because `watch` changed as well; "
                "still using policy %s",
                policies.default.digest,
                self._policies.digest,
            )
        kept = [
            info.alias or key
            for key, info in type(fresh).model_fields.items()
            if key != "policy" and getattr(fresh, key) != getattr(self._config, key)
        ]
        if kept:
            log.warning("restart culld to apply the changes in %s", ", ".join(kept))
