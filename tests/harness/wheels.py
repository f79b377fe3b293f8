"""Minimal wheels (PEP 427) and an index of them in a folder (PEP 503), and a build backend that needs no package."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path


def write_wheel(folder: Path, name: str, version: str, lines: Sequence[str] = ()) -> Path:
    """Write a wheel that holds no code; `lines` are further lines of its metadata. Returns its path."""
    info = f"{name}-{version}.dist-info"
    parts = {
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    parts[f"{info}/RECORD"] = "".join(f"{part},,\n" for part in [*parts, f"{info}/RECORD"])
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return file


def write_index(folder: Path, wheels: Sequence[Path]) -> str:
    """Make `folder` a package index of these wheels and return its address."""
    for wheel in wheels:
        page = folder / wheel.name.partition("-")[0] / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as links:
            links.write(f'<a href="{wheel.as_uri()}">{wheel.name}</a>\n')
    return folder.as_uri()


def locked(wheel: Path) -> str:
    """Return the line of a hashed lock that pins this wheel."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    """Build the project `probe`, as PEP 660 wants it of a build backend."""
    return write_wheel(Path(wheel_directory), "probe", "1.0").name
