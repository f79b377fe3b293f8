"""The checks of the optional parts of culld: what each is for, and the command that installs it."""

from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.system.doctor.checks import note, ok
from culld.system.doctor.environment import has_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from culld.system.doctor.checks import Check


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional part: its name, the module that shows that it is installed, and what is missing without."""

    name: str
    module: str
    without: str


EXTRAS: Final = (
    Extra("raw", "rawpy", "RAW files are passed over"),
    Extra("jxl", "pillow_jxl", "JPEG XL files are passed over (its licence is GPL-3)"),
    Extra("video", "av", "clips are not judged"),
    Extra("web", "starlette", "there is no review page"),
    Extra("vision", "cv2", "photos of one scene are not compared"),
    Extra("archive", "ray", "there is no `culld archive`"),
    Extra("gpu", "tensorflow", "a GPU is not used"),
    Extra("train", "ai_edge_quantizer", "models are not trained"),
)


def extras(
    has: Callable[[str], bool] = has_module,
    requirements: Callable[[str], Iterable[str] | None] = importlib.metadata.requires,
) -> Iterator[Check]:
    """Check which extras are installed; no module is imported.

    The command names the packages and not `culld[raw]`, which pip would look up in an index.
    """
    for extra in EXTRAS:
        name = f"extra {extra.name}"
        if has(extra.module):
            yield ok(name, "installed")
        else:
            packages = " ".join(f"'{each}'" for each in packages_of(extra.name, requirements))
            yield note(name, f"not installed: {extra.without}", f"{sys.executable} -m pip install {packages}")


def packages_of(extra: str, requirements: Callable[[str], Iterable[str] | None]) -> list[str]:
    """Return the requirements of an extra as pip takes them; its name alone if culld is not installed as a package."""
    try:
        known = requirements("culld") or ()
    except importlib.metadata.PackageNotFoundError:
        return [f"culld[{extra}]"]
    marked = [(each.partition(";")[0].strip(), each.partition(";")[2]) for each in known]
    return [package for package, marker in marked if f"extra == '{extra}'" in marker.replace('"', "'")]
