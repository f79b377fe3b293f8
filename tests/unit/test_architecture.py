"""docs/architecture.md describes the tree and the import contracts as they are."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PACKAGE = REPO / "daemon" / "culld"
TEXT = (REPO / "docs" / "architecture.md").read_text()
WORDS = ["watch", "settle", "read", "group", "decide", "plan", "apply", "report"]


def section(title: str) -> str:
    """The text below a heading of the second level."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def imports(file: Path) -> set[str]:
    """The top-level names of the packages that a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    whole = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | whole}


def test_every_folder_of_the_package_is_listed_and_every_listed_one_exists() -> None:
    """A new folder needs one line about its content."""
    listed = re.findall(r"^\| `([\w/]+)` \| \S", section("Folders"), re.MULTILINE)
    folders = {str(file.parent.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py")} - {"."}

    assert len(listed) == len(set(listed))
    assert set(listed) == folders


def test_the_eight_stages_stand_in_order_and_their_code_exists() -> None:
    """In the table, and as the steps of one photo; watching and settling are no lines of `process`."""
    rows = re.findall(r"^\| (\w+) \|.*\| `([\w/.]+)` \|$", section("Eight words"), re.MULTILINE)
    steps = re.findall(r"^\d\. \*\*(\w+)\.\*\*", section("One photo"), re.MULTILINE)

    assert [word for word, _ in rows] == steps == WORDS
    assert [path for _, path in rows if not (PACKAGE / path).exists()] == []


def test_the_order_of_imports_is_that_of_the_contract() -> None:
    """The layers of import-linter, one a line; `:` in the contract only allows imports between neighbours."""
    (shown,) = re.findall(r"^```layers\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    contracts = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["type"] == "layers" and each["containers"] == ["culld"])
    layers = [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]

    assert [set(line.split(" | ")) for line in shown.splitlines()] == layers


def test_every_module_that_the_page_names_exists() -> None:
    """Below the package, or from the root of the repository."""
    named = set(re.findall(r"`([\w/]+\.py)`", TEXT))

    assert named
    assert [name for name in named if not ((PACKAGE / name).exists() or (REPO / name).exists())] == []


def owners() -> list[tuple[str, str]]:
    """The libraries that belong to one folder each, with the folder."""
    sentence = re.search(r"Most outside libraries belong to one folder: ([^;]*);", " ".join(section("Imports").split()))
    assert sentence
    return re.findall(r"(\w+) to `([\w/]+)`", sentence[1].replace("SQLite", "sqlite3"))


@pytest.mark.parametrize(("library", "folder"), owners())
def test_a_library_is_imported_in_the_folder_that_the_page_names(library: str, folder: str) -> None:
    """And nowhere else."""
    importing = {file for file in PACKAGE.rglob("*.py") if library.lower() in imports(file)}

    assert importing
    assert [str(file) for file in importing if not file.is_relative_to(PACKAGE / folder)] == []
