"""Add the manual pages to the wheel; a build hook of hatchling (see pyproject.toml)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface[Any]):
    """Make culld(1) and culld.yaml(5) from the commands and the example configuration of the source tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Write the pages to a temporary folder and add them as data of the wheel."""
        sys.path.insert(0, str(Path(self.root, "daemon")))
        from culld.cli import build_parser  # noqa: PLC0415 (imports from the source tree, not from an installed culld)
        from culld.cli.manual import commands, configuration  # noqa: PLC0415

        example = Path(self.root, "config.example.yaml").read_text("utf-8")
        pages = {"man1/culld.1": commands(build_parser()), "man5/culld.yaml.5": configuration(example)}
        self._folder = Path(tempfile.mkdtemp(prefix="culld-manual-"))
        for name, lines in pages.items():
            file = self._folder / name
            file.parent.mkdir()
            file.write_text("\n".join([*lines, ""]), "utf-8")
            build_data["shared_data"][str(file)] = f"share/man/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the temporary folder."""
        shutil.rmtree(self._folder)
