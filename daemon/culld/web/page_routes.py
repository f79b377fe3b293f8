"""The files of the page: read once at the start, so that no path of a request reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from culld.web.answers import CHECKED, is_known, not_modified
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER: Final = Path(__file__).parent / "static"
"""The folder of the page."""
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page; `packed` is its content by gzip."""

    data: bytes
    media_type: str
    etag: str
    packed: bytes


def page_files(folder: Path) -> dict[str, PageFile]:
    """Return the files below a folder by their path in it, those of a known type."""
    found = {}
    for file in sorted(folder.rglob("*")):
        media_type = _TYPES.get(file.suffix)
        if media_type is not None and file.is_file():
            data = file.read_bytes()
            etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            found[file.relative_to(folder).as_posix()] = PageFile(data, media_type, etag, gzip.compress(data, mtime=0))
    return found


async def page(request: Request) -> Response:
    """Answer with the page itself, or with one of its files below /s/."""
    files: dict[str, PageFile] = request.app.state.files
    file = files.get(request.path_params.get("path", "index.html"))
    if file is None:
        raise ProblemError(404, "There is no such file.")
    headers = {"ETag": file.etag, "Cache-Control": CHECKED, "Vary": "Accept-Encoding"}
    if is_known(request, file.etag):
        return not_modified(headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, 200, headers | {"Content-Encoding": "gzip"}, file.media_type)
    return Response(file.data, 200, headers, file.media_type)
