"""Files that are no ordinary photos: special files, odd names, bombs, hostile metadata, and photos with wrong bytes.

They are dropped on the real daemon; counted is what is left of them, of its time, and of the daemon itself.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import factories, images
from harness.daemon_process import House

LIMIT_S = 20
POLICY = f"""\
watch: [{{path: inbox}}]
quarantine: quarantine
state: state
settle: {{quiet: 500ms}}
batch: {{wait: 300ms}}
rescan: 5s
workers: 2
limits: {{time: {LIMIT_S}s}}
policy: {{mode: enforce, defects: {{blur: {{tag: 0.5, reject: 0.97}}}}, protect: {{smaller_than: never}}}}
"""
ODD = (
    b"new\nline.jpg",
    b"\x1b[31mred.jpg",
    b"-rf.jpg",
    b"--config=x.jpg",
    b"\xff\xfe.jpg",
    b"x" * 251 + b".jpg",
    "e\u0301.jpg".encode(),
    "\u00e9.jpg".encode(),
    "\u202egpj.exe.jpg".encode(),
    b"a;reboot.jpg",
    b"$(reboot).jpg",
    b"`reboot`.jpg",
    b"' OR 1=1 --.jpg",
    b"%n%s%x.jpg",
    b"{0.__class__}.jpg",
    b"a\\b.jpg",
    b"..jpg",
    b"...jpg",
    b" .jpg",
    b"\x7f\x01\x02.jpg",
)


@dataclass(frozen=True)
class Survived:
    """The result of one kind of file: how many there were, how many still exist, and the seconds that culld took."""

    kind: str
    files: int
    lost: int
    seconds: float


def photo(number: int, kind: str = "JPEG") -> bytes:
    """A small photo in which nothing is wrong."""
    return factories.encoded(factories.picture(number, (320, 240)), kind)


def special(inbox: Path, _dice: random.Random, _count: int) -> None:
    """Make special files, links and folders in place of photos."""
    (inbox / "folder.jpg").mkdir()
    os.mkfifo(inbox / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(inbox / "socket.jpg"))
    (inbox / "zero.jpg").symlink_to("/dev/zero")
    (inbox / "passwords.jpg").symlink_to("/etc/passwd")
    (inbox / "dangling.jpg").symlink_to("nowhere")
    (inbox / "loop.jpg").symlink_to("loop.jpg")
    (inbox / "up").symlink_to("..")
    (inbox / "one.jpg").write_bytes(photo(1))
    os.link(inbox / "one.jpg", inbox / "two.jpg")
    with (inbox / "sparse.jpg").open("wb") as stream:
        stream.truncate(1 << 40)
    (inbox / "empty.jpg").touch()


def names(inbox: Path, _dice: random.Random, _count: int) -> None:
    """Names that a terminal, a shell, a path or a database might take for something else."""
    for number, name in enumerate(ODD):
        Path(os.fsdecode(os.fsencode(inbox) + b"/" + name)).write_bytes(photo(number))
    deep = inbox
    for _ in range(120):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "deep.jpg").write_bytes(photo(99))


def bombs(inbox: Path, _dice: random.Random, _count: int) -> None:
    """Small files that promise large pictures, or hold large texts."""
    big = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    zeros = zlib.compress(bytes(200_000_000), 9)
    text = b"Comment\0\0" + zlib.compress(bytes(300_000_000), 9)
    small = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    (inbox / "pixels.png").write_bytes(_png((b"IHDR", big), (b"IDAT", zeros)))
    (inbox / "text.png").write_bytes(_png((b"IHDR", small), (b"zTXt", text), (b"IDAT", zlib.compress(bytes(784)))))
    (inbox / "chunks.png").write_bytes(_png((b"IHDR", small), *((b"tEXt", b"k\0v"),) * 200_000))
    whole = photo(1)
    frame = whole.index(b"\xff\xc0")
    (inbox / "pixels.jpg").write_bytes(whole[: frame + 5] + b"\xff\xff\xff\xff" + whole[frame + 9 :])
    segments = b"\xff\xe1\xff\xff" + bytes(65533)
    (inbox / "segments.jpg").write_bytes(b"\xff\xd8" + segments * 1500 + whole[2:])
    scans = whole[whole.index(b"\xff\xda") : -2]
    (inbox / "scans.jpg").write_bytes(whole[:-2] + scans * 3000 + b"\xff\xd9")
    directory = struct.pack("<HHHII", 1, 256, 4, 1, 60_000) + struct.pack("<I", 8)
    (inbox / "loop.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + directory)
    (inbox / "nothing.heic").write_bytes(struct.pack(">I4s4sI4s", 24, b"ftyp", b"heic", 0, b"mif1") + bytes(200_000))


def hostile_metadata(inbox: Path, _dice: random.Random, _count: int) -> None:
    """Sidecars and EXIF against which parsers of XML and TIFF have fallen."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    sidecars = {
        "laughs": f"<!DOCTYPE x [{laughs}]><x>&l9;</x>",
        "external": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        "quadratic": f'<!DOCTYPE x [<!ENTITY e "{"A" * 50_000}">]><x>{"&e;" * 50_000}</x>',
        "deep": "<x>" * 100_000 + "</x>" * 100_000,
        "wide": "<x " + " ".join(f'a{n}="b"' for n in range(100_000)) + "/>",
        "large": "<x>" + "A" * 20_000_000 + "</x>",
        "nothing": "\0" * 1000,
    }
    blurred = factories.encoded(factories.blurred(factories.picture(5)), quality=90)
    for name, text in sidecars.items():
        (inbox / f"{name}.jpg").write_bytes(blurred + b"")
        (inbox / f"{name}.jpg.xmp").write_text(text)
    counts = struct.pack("<HHHII", 1, 0x9C9E, 1, 0xFFFFFFFF, 8) + bytes(4)
    circle = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    for name, tiff in (("count", counts), ("circle", circle), ("short", b"")):
        body = b"Exif\0\0II*\0" + struct.pack("<I", 8) + tiff
        (inbox / f"exif-{name}.jpg").write_bytes(
            blurred[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + blurred[2:]
        )


def mutated(inbox: Path, dice: random.Random, count: int) -> None:
    """Photos of four formats in which bytes were changed, left out, or put in."""
    whole = [(photo(n, kind), end) for n, (kind, end) in enumerate(FORMATS)]
    for number in range(count):
        data, end = whole[number % len(whole)]
        (inbox / f"{number}{end}").write_bytes(images.mutated(data, dice))


FORMATS = (("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".tif"))


KINDS: dict[str, Callable[[Path, random.Random, int], None]] = {
    "special files": special,
    "odd names": names,
    "bombs": bombs,
    "hostile EXIF and XML": hostile_metadata,
    "photos with wrong bytes": mutated,
}


def survive(folder: Path, seed: int, count: int) -> list[Survived]:
    """Drop each kind, then a good photo; nothing may be lost, and the daemon of the start must judge the photo."""
    dice = random.Random(seed)  # noqa: S311
    house = House(folder).build(POLICY)
    found = []
    with house.daemon() as daemon:
        for number, (kind, make) in enumerate(KINDS.items()):
            inbox = house.inbox / str(number)
            inbox.mkdir()
            begin = time.monotonic()
            make(inbox, dice, count)
            before = _files(inbox)
            good = house.drop(f"{number}-good.jpg", photo(1000 + number))
            house.wait_until(lambda good=good: _is_decided(house, good.name), f"{good.name} (after {kind})", 600)
            house.wait_until(lambda: _waiting(house) == 0, f"the end of {kind}", 600)
            gone = before - _files(inbox) - _files(house.quarantine / str(number))
            assert daemon.poll() is None, kind
            found.append(Survived(kind, len(before), len(gone), time.monotonic() - begin))
    return found


def _files(folder: Path) -> set[bytes]:
    """The relative names of everything below a folder."""
    if not folder.is_dir():
        return set()
    command = ["find", folder, "-mindepth", "1", "!", "-type", "d", "-printf", r"%P\0"]
    return set(subprocess.run(command, check=True, capture_output=True).stdout.split(b"\0")) - {b""}


def _is_decided(house: House, name: str) -> bool:
    return (os.fsencode(name),) in house.ask("SELECT relative FROM decision WHERE state = 'done'")


def _waiting(house: House) -> int:
    return int(json.loads(house.culld("status", "--json"))["waiting"])


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    found = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in (*chunks, (b"IEND", b"")):
        found += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(found)
