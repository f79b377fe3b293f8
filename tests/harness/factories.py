"""Records with sensible fields, so that a test names only what it is about; and small real pictures."""

from __future__ import annotations

import hashlib
import io
import random
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from culld.records import (
    Assessment,
    FileSnapshot,
    FileStat,
    Format,
    Mode,
    Outcome,
    Photo,
    Plan,
    Policy,
    RootedPath,
    Scores,
    Stack,
    Threshold,
    Unreadable,
    Verdict,
)

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def place(name: str = "a.jpg", root: str = "/photos") -> RootedPath:
    """A place below a root."""
    return RootedPath(Path(root), Path(name))


def stamp(size: int = 100, mtime_ns: int = 1, inode: int = 7) -> FileStat:
    """A stamp."""
    return FileStat(device=1, inode=inode, size=size, mtime_ns=mtime_ns, ctime_ns=mtime_ns)


def snapshot(name: str = "a.jpg", size: int = 100, mtime_ns: int = 1) -> FileSnapshot:
    """A file as the scanner sees it."""
    return FileSnapshot(place(name), stamp(size, mtime_ns))


def photo(name: str = "a.jpg", content: bytes = b"a", format_: Format = Format.JPEG) -> Photo:
    """A photo whose digest is that of `content`."""
    return Photo(place(name), stamp(len(content)), hashlib.sha256(content).hexdigest(), format_)


def assessment(name: str = "a.jpg", *, blur: float = 0.0, under: float = 0.0, over: float = 0.0) -> Assessment:
    """A photo with these scores."""
    return Assessment(photo(name), Scores(blur, under, over), "model@1")


def unreadable(name: str = "a.jpg", reason: str = "damaged") -> Assessment:
    """A photo that could not be decoded."""
    return Assessment(photo(name), Unreadable(reason), "model@1")


def rules() -> Policy:
    """The default policy, allowed to move."""
    return Policy(Mode.ENFORCE, Threshold(0.5, 0.97), Threshold(0.6, None), Threshold(0.6, None), "policy-1")


def plan(stack: Stack, verdict: Verdict = Verdict.KEEP) -> Plan:
    """A plan for this stack that changes nothing."""
    return Plan("plan-" + stack.primary.photo.place.relative.name, stack, verdict, "because", (), "policy-1", NOON)


def outcome(plan: Plan) -> Outcome:
    """The plan, carried out where the photo is."""
    return Outcome(plan, plan.photo.place, plan.photo.stamp, plan.photo.digest)


def picture(seed: int = 0, size: tuple[int, int] = (960, 720)) -> Image.Image:
    """A sharp, evenly lit picture full of edges and texture, different for each seed."""
    dice = random.Random(seed)  # noqa: S311
    image = Image.new("RGB", size, tuple(dice.randrange(90, 170) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(260):
        left, top = dice.randrange(-80, size[0]), dice.randrange(-80, size[1])
        box = (left, top, left + dice.randrange(15, 190), top + dice.randrange(15, 190))
        colour = tuple(dice.randrange(20, 240) for _ in range(3))
        dice.choice((draw.rectangle, draw.ellipse))(
            box, fill=colour, outline=tuple(dice.randrange(0, 255) for _ in range(3))
        )
    grain = Image.frombytes("L", size, dice.randbytes(size[0] * size[1])).filter(ImageFilter.GaussianBlur(1))
    return Image.blend(image, Image.merge("RGB", (grain,) * 3), 0.12)


def blurred(image: Image.Image, radius: float = 12) -> Image.Image:
    """The same picture, badly out of focus."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def encoded(image: Image.Image, format_: str = "JPEG", **options: object) -> bytes:
    """The bytes of a picture file."""
    stream = io.BytesIO()
    image.save(stream, format_, **options)
    return stream.getvalue()
