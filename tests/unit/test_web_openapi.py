"""The description of the API is that of the routes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

import culld.web
from culld.app.upscale_messages import MOST_PIXELS
from culld.imaging.edge_tiles import TILE
from culld.records.review import MOST_ITEMS, WishKind
from culld.web import upscale_routes
from culld.web.access import access_to
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
        if access_to(route.path) is not None
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
    """Of wishes, repairs and maps."""
    wish = DOCUMENT["paths"][f"{API}/wishes"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    assert wish["properties"]["kind"]["enum"] == list(WishKind)
    assert wish["properties"]["items"]["maxItems"] == MOST_ITEMS
    upscale = DOCUMENT["paths"]["/upscale"]["post"]["parameters"]
    given = {each["name"]: each["schema"] for each in upscale if "name" in each}
    assert given["format"]["enum"] == list(upscale_routes.FORMATS)
    numbers = given["quality"]["oneOf"][1]
    assert (numbers["minimum"], numbers["maximum"]) == (upscale_routes.LOWEST_QUALITY, upscale_routes.HIGHEST_QUALITY)
    assert f"{MOST_PIXELS:,} pixels" in FILE.read_text()
    assert f"one pixel for {TILE} of the photo" in FILE.read_text()
