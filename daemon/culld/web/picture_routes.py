"""The routes of pictures: thumbnails, previews, parts, maps, regions and originals."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import Response

from culld.app.review.copies import copy_file
from culld.app.review.originals import open_original
from culld.app.review.photos import PhotoFile, photo_file
from culld.errors import PhotoError
from culld.records import NETWORK_DEFECTS, Format
from culld.web.answers import CHECKED, IMMUTABLE, FileAnswer, is_known, not_modified
from culld.web.picture_making import key_now, key_of, made_pictures
from culld.web.picture_requests import CropRequest, HeatRequest, MapRequest, RegionsRequest, SizesRequest
from culld.web.problems import ProblemError
from culld.web.regions import network_digest
from culld.web.route_values import flag_in, number_in, number_of, required_number, site_of, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from culld.web.picture_requests import PictureRequest

THUMBS: Final = (320, 640)
PREVIEWS: Final = (2048, 3072)
_MAPS: Final = {"clipping", "sharpness"}
_HEADS: Final = {each.value for each in NETWORK_DEFECTS}
_SHOWN: Final = {
    Format.JPEG: "image/jpeg",
    Format.PNG: "image/png",
    Format.WEBP: "image/webp",
    Format.AVIF: "image/avif",
}
"""The formats that browsers show, with the type that they are sent with."""
_LARGEST_CROP: Final = 4096


async def thumb(request: Request) -> Response:
    """Answer with a small picture, which is made together with its larger form."""
    return await _sized(request, "thumb", THUMBS)


async def preview(request: Request) -> Response:
    """Answer with a picture for the whole screen; the thumbnails are made from the same decode."""
    return await _sized(request, "preview", PREVIEWS)


async def _sized(request: Request, kind: str, lengths: tuple[int, ...]) -> Response:
    longest = number_in(request, "size") or lengths[0]
    if longest not in lengths:
        raise ProblemError(422, f"The size is one of {', '.join(map(str, lengths))}.")
    more = (longest,) if kind == "thumb" else (longest, *THUMBS)
    named = {f"{each}.jpg": each for each in dict.fromkeys(more)}
    return await _picture(request, _Wanted(f"{longest}.jpg", "image/jpeg", tuple(named)), named)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture: its name in the cache, its type, and all names that are made with it, in the order of the answer."""

    name: str
    media_type: str
    made: tuple[str, ...]


async def _picture(request: Request, wanted: _Wanted, lengths: Mapping[str, int]) -> Response:
    def asked(file: PhotoFile) -> PictureRequest:
        return SizesRequest(file.place, tuple(lengths.values()))

    return await _answer(request, wanted, asked)


async def crop(request: Request) -> Response:
    """Answer with a part of the photo in full resolution."""
    x, y, width, height = (required_number(request, name) for name in "xywh")
    if not (0 < width <= _LARGEST_CROP and 0 < height <= _LARGEST_CROP):
        raise ProblemError(422, f"A part has 1 to {_LARGEST_CROP} pixels in each direction.")
    name = f"crop-{x}-{y}-{width}-{height}.jpg"
    return await _answer(
        request,
        _Wanted(name, "image/jpeg", (name,)),
        lambda file: CropRequest(file.place, (x, y, width, height)),
    )


async def heat(request: Request) -> Response:
    """Answer with a map over the photo."""
    head = request.query_params.get("head", "")
    if head in _HEADS:
        return await _explained(request, head)
    if head not in _MAPS:
        raise ProblemError(404, "There is no such map of this photo.")
    name = f"{head}.png"
    return await _answer(request, _Wanted(name, "image/png", (name,)), lambda file: MapRequest(file.place, head))


async def _explained(request: Request, head: str) -> Response:
    """Answer with the map of a defect, and with its logit and probability in the headers."""
    wanted = _Wanted(f"{head}.png", "image/png", (f"{head}.png", f"{head}.json"))
    figures = replace(wanted, name=f"{head}.json")
    found = await _answer(request, wanted, lambda file: HeatRequest(file.place, head))
    if found.status_code == 200:
        known = json.loads(bytes((await _answer(request, figures, lambda file: HeatRequest(file.place, head))).body))
        found.headers.update({"X-Logit": f"{known['logit']:.6g}", "X-Probability": f"{known['probability']:.6g}"})
    return found


async def regions(request: Request) -> Response:
    """Answer with the regions of the photo that have a defect; the cache keeps those of one network apart."""
    digest = await asyncio.to_thread(network_digest)
    name = f"regions-{digest}.json"
    found = await _answer(request, _Wanted(name, "application/json", (name,)), lambda file: RegionsRequest(file.place))
    found.headers["Cache-Control"] = CHECKED  # another network finds other regions in the same photo
    return found


async def _answer(request: Request, wanted: _Wanted, asked: Callable[[PhotoFile], PictureRequest]) -> Response:
    site, file = site_of(request), await _file(request)
    key = file.digest if file.stamp is not None else await key_now(file)
    headers = _caching(request, file, f"{key[:32]}-{wanted.name}")
    if is_known(request, headers["ETag"]):
        return not_modified(headers)
    data = site.cache.get(key, wanted.name)  # a thread would take longer than reading 20 KB
    if data is None:
        key = await key_now(file)
        headers = _caching(request, file, f"{key[:32]}-{wanted.name}")
        data = site.cache.get(key, wanted.name)
    if data is None:
        data = (await made_pictures(site, file, wanted.made, asked(file)))[wanted.name]
    return Response(data, 200, headers, wanted.media_type)


async def original(request: Request) -> Response:
    """Answer with the photo's own bytes, if browsers show its format."""
    file = await _file(request)
    try:
        stream, format_, stamp = await asyncio.to_thread(open_original, file.place)
    except PhotoError as error:
        raise ProblemError(409, str(error)) from error
    if format_ not in _SHOWN:
        stream.close()
        raise ProblemError(415, f"Browsers do not show {format_} files; ask for the preview or a crop.")
    try:
        key = key_of(file, stamp)
    except ProblemError:
        stream.close()
        raise
    headers = _caching(request, file, f"{key[:32]}-original")
    headers["Content-Disposition"] = (
        f"inline; filename*=UTF-8''{quote(file.place.relative.name, safe='', errors='replace')}"
    )
    if is_known(request, headers["ETag"]):
        stream.close()
        return not_modified(headers)
    return FileAnswer(stream, _SHOWN[format_], headers)


async def _file(request: Request) -> PhotoFile:
    """Return the file of the photo, or with `copy=1` that of its repaired copy."""
    site, number = site_of(request), number_of(request)
    if flag_in(request, "copy"):
        return await site.copies.checked(await site.read(lambda reading: copy_file(reading.journal(), number)))
    found = await site.read(lambda reading: photo_file(reading.journal(), number))
    if found is None:
        raise unknown(number)
    return found


def _caching(request: Request, file: PhotoFile, tag: str) -> dict[str, str]:
    """Return the headers for content with an ETag; it never changes below an address that holds its digest."""
    is_fixed = request.query_params.get("d") == file.digest and tag.startswith(file.digest[:32])
    return {"ETag": f'"{tag}"', "Cache-Control": IMMUTABLE if is_fixed else CHECKED}
