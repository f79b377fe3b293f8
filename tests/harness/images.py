"""Picture files and sidecars as other programs write them, and ways to damage them."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from harness import exif as exif_blocks
from harness import factories

READERS = {
    "exiftool": ("exiftool", "-config", "", "-XMP-dc:Subject"),
    "exiv2": ("exiv2", "-PXt"),
}
"""Programs that list the keywords of a file."""


# What a new length shifts, what a new file is given, and what is ours.
_MAY_DIFFER = re.compile(
    r"^(SourceFile|System:.*|RIFF:.*|File:FileType.*|ExifTool:.*|XMP-culld:.*|XMP-x:.*|.*(Offset|ByteOrder|XPKeywords|Subject|ApplicationNotes))$"
)


def pixels(data: bytes) -> list[bytes] | None:
    """Every page as Pillow decodes it; None if it cannot."""
    pages = []
    try:
        with Image.open(io.BytesIO(data)) as image:
            for page in range(getattr(image, "n_frames", 1)):
                image.seek(page)
                pages.append(image.convert("RGBA").tobytes())
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return pages


def listed(path: Path) -> dict[str, str]:
    """Every tag that exiftool finds, with its value, pictures inside included, but for those that may differ."""
    command = ["exiftool", "-config", "", "-a", "-U", "-b", "-G1:4", "-j", "-struct", path]
    listed = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)[0]
    return {key: str(value) for key, value in listed.items() if not _MAY_DIFFER.match(key)}


def generated(count: int) -> Iterator[tuple[str, bytes]]:
    """Return `count` different files of each kind: name and bytes."""
    for number in range(count):
        small = factories.picture(number, (96, 64))
        ghost = small.convert("RGBA")
        ghost.putalpha(100)
        for name, data in _kinds(small, ghost).items():
            yield f"{number}-{name}", data


def _kinds(small: Image.Image, ghost: Image.Image) -> dict[str, bytes]:
    exif = b"Exif\0\0" + exif_blocks.exif_block()
    texts = PngInfo()
    texts.add_text("Comment", "mine")
    packet = PngInfo()
    packet.add_itxt("XML:com.adobe.xmp", exif_blocks.PACKET.decode())
    return {
        "plain.jpg": factories.encoded(small, quality=90),
        "exif.jpg": factories.encoded(small, quality=90, exif=exif),
        "both.jpg": factories.encoded(small, quality=90, exif=exif, xmp=exif_blocks.PACKET),
        "progressive.jpg": factories.encoded(small, quality=90, progressive=True),
        "grey.jpg": factories.encoded(small.convert("L"), quality=90),
        "plain.png": factories.encoded(small, "PNG"),
        "texts.png": factories.encoded(small, "PNG", pnginfo=texts),
        "xmp.png": factories.encoded(small, "PNG", pnginfo=packet),
        "alpha.png": factories.encoded(ghost, "PNG"),
        "plain.webp": factories.encoded(small, "WEBP"),
        "lossless.webp": factories.encoded(ghost, "WEBP", lossless=True),
        "alpha.webp": factories.encoded(ghost, "WEBP"),
        "xmp.webp": factories.encoded(small, "WEBP", exif=exif, xmp=exif_blocks.PACKET),
        "moving.webp": factories.encoded(small, "WEBP", save_all=True, append_images=[small.rotate(90)]),
        "plain.tif": factories.encoded(small, "TIFF"),
        "deflated.tif": factories.encoded(small, "TIFF", compression="tiff_deflate"),
        "xmp.tif": factories.encoded(small, "TIFF", tiffinfo={700: exif_blocks.PACKET}),
        "pages.tif": factories.encoded(small, "TIFF", save_all=True, append_images=[small]),
    }


def mutated(data: bytes, dice: random.Random) -> bytes:
    """The bytes with a few of them changed, left out or added, most near the beginning, where the structure is."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 2, 5))):
        place = dice.randrange(min(len(changed), dice.choice((64, 600, len(changed)))) or 1)
        how = dice.randrange(4)
        if how == 0:
            changed[place : place + 1] = dice.randbytes(1)
        elif how == 1:
            del changed[place : place + dice.randrange(1, 40)]
        elif how == 2:
            changed[place:place] = dice.randbytes(dice.randrange(1, 40))
        else:
            changed[place : place + 4] = dice.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
    return bytes(changed)


_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="{tool}">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
)
_FOOT = " </rdf:RDF>\n</x:xmpmeta>\n"


def _sidecar(tool: str, body: str) -> bytes:
    return (_HEAD.format(tool=tool) + body + _FOOT).encode()


SIDECARS = {
    "darktable": _sidecar(
        "XMP Core 4.4.0-Exiv2",
        '  <rdf:Description rdf:about=""\n    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"\n'
        '    xmlns:darktable="http://darktable.sf.net/"\n   xmp:Rating="3"\n   darktable:xmp_version="5">\n'
        "   <darktable:masks_history>\n    <rdf:Seq/>\n   </darktable:masks_history>\n"
        '   <darktable:history>\n    <rdf:Seq>\n     <rdf:li\n      darktable:num="0"\n'
        '      darktable:operation="rawprepare"\n      darktable:params="gz02eJxjYA"/>\n    </rdf:Seq>\n'
        "   </darktable:history>\n   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>night</rdf:li>\n    </rdf:Bag>\n"
        "   </dc:subject>\n   <lr:hierarchicalSubject>\n    <rdf:Bag>\n     <rdf:li>time|night</rdf:li>\n"
        "    </rdf:Bag>\n   </lr:hierarchicalSubject>\n  </rdf:Description>\n",
    ),
    "darktable without keywords": _sidecar(
        "XMP Core 4.4.0-Exiv2",
        '  <rdf:Description rdf:about=""\n    xmlns:darktable="http://darktable.sf.net/"\n'
        '   darktable:auto_presets_applied="1">\n   <darktable:history>\n    <rdf:Seq/>\n   </darktable:history>\n'
        "  </rdf:Description>\n",
    ),
    "digiKam": _sidecar(
        "XMP Core 4.4.0-Exiv2",
        '  <rdf:Description rdf:about=""\n    xmlns:digiKam="http://www.digikam.org/ns/1.0/"\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n   digiKam:PickLabel="3"\n   digiKam:ColorLabel="0">\n'
        "   <digiKam:TagsList>\n    <rdf:Seq>\n     <rdf:li>places/harbour</rdf:li>\n    </rdf:Seq>\n"
        "   </digiKam:TagsList>\n   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>harbour</rdf:li>\n    </rdf:Bag>\n"
        "   </dc:subject>\n  </rdf:Description>\n",
    ),
    "Lightroom": _sidecar(
        "Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00",
        '  <rdf:Description rdf:about=""\n    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n   xmp:Label="Red"\n   crs:Exposure2012="+0.35"\n'
        '   crs:HasSettings="True">\n   <crs:ToneCurvePV2012>\n    <rdf:Seq>\n     <rdf:li>0, 0</rdf:li>\n'
        "     <rdf:li>255, 255</rdf:li>\n    </rdf:Seq>\n   </crs:ToneCurvePV2012>\n  </rdf:Description>\n",
    ),
    "exiftool": (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n<x:xmpmeta xmlns:x='adobe:ns:meta/'>\n"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n\n"
        " <rdf:Description rdf:about=''\n  xmlns:dc='http://purl.org/dc/elements/1.1/'>\n  <dc:subject>\n"
        "   <rdf:Bag>\n    <rdf:li>one</rdf:li>\n    <rdf:li>two</rdf:li>\n   </rdf:Bag>\n  </dc:subject>\n"
        " </rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end='w'?>"
    ).encode(),
    "Immich": _sidecar(
        "Image::ExifTool",
        '  <rdf:Description rdf:about=""\n    xmlns:tiff="http://ns.adobe.com/tiff/1.0/">\n'
        "   <tiff:ImageDescription>\n    <rdf:Alt>\n     <rdf:li xml:lang='x-default'>a walk</rdf:li>\n"
        "    </rdf:Alt>\n   </tiff:ImageDescription>\n  </rdf:Description>\n",
    ),
}
"""Sidecars in the way of each program, by its name."""
