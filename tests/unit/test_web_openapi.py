"""The description of the API is that of the routes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

import culld.web
from culld.imaging.edge_tiles import TILE
from culld.records.review import MOST_ITEMS, WishKind
from culld.web.application import API, ROUTES

FILE = Path(culld.web.__file__).parent / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    """With its method."""
    described = {(path, method) for path, found in DOCUMENT["paths"].items() for method in set(found) - {"parameters"}}
    routes = {
        (route.path, method.lower())
        for route in ROUTES
        for method in (route.methods or set()) - {"HEAD"}
        if route.path.startswith(API)
    }

    assert described == routes


def test_every_parameter_in_a_path_is_described() -> None:
    """And none besides."""
    for path, found in DOCUMENT["paths"].items():
        named = [each["$ref"].rpartition("/")[2] for each in found.get("parameters", [])]
        described = [DOCUMENT["components"]["parameters"][name] for name in named]
        in_path = {each["name"] for each in described if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))


def test_the_limits_are_those_of_the_code() -> None:
    """Of wishes and maps."""
    wish = DOCUMENT["paths"][f"{API}/wishes"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    assert wish["properties"]["kind"]["enum"] == list(WishKind)
    assert wish["properties"]["items"]["maxItems"] == MOST_ITEMS
    assert f"one pixel for {TILE} of the photo" in FILE.read_text()
