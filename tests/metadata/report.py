"""`make metadata`: what culld's tags do to real and generated files, by the eyes of other programs; writes RESULTS.md.

A file counts as damaged if anything but our words and values differs afterwards: bytes outside the places that may
change, pixels as Pillow decodes them, tags as exiftool lists them, thumbnails and previews as exiftool extracts them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "unit")]

from culld.errors import TagRefusedError  # noqa: E402
from culld.files.rewrite import rewrite_file, undo  # noqa: E402
from culld.imaging.formats import EXTENSIONS, HEAD_BYTES, recognise  # noqa: E402
from culld.records import RootedPath, Scores, Verdict  # noqa: E402
from culld.stages.read.exif_facts import keyword_block  # noqa: E402
from culld.tags.draft import TagRequest, draft  # noqa: E402
from culld.tags.edits import apply_edits  # noqa: E402
from culld.tags.embedded import embedded_edits  # noqa: E402
from culld.tags.own_properties import DecisionProperties  # noqa: E402
from culld.tags.sidecar import sidecar_edits  # noqa: E402
from culld.tags.verify import verify_embedded  # noqa: E402
from harness import images  # noqa: E402 (it stands beside the tests)
from harness.factories import NOON, rules  # noqa: E402

Row = tuple[str, ...]
SHARED = Path(__file__).resolve().parents[3] / "shared"
WORDS = ("defect:blur", "defect:overexposed")
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.75), rules(), Verdict.TAG, "model@1", NOON, "0.1.0")
SEED = 20_261_121


@dataclass
class Tally:
    """The results of a set of files."""

    written: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


def real(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The photos below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in EXTENSIONS:
            yield path.name, path.read_bytes()


def tag_all(files: Iterable[tuple[str, bytes]], *, referee: bool) -> Tally:
    """Tag each file as the daemon does, look for damage, and take the tags back."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files:
            place = RootedPath(Path(folder), Path(name))
            place.path.write_bytes(data)
            _tag(place, data, tally, referee=referee)
            for path in Path(folder).iterdir():
                path.unlink()
    return tally


def _tag(place: RootedPath, data: bytes, tally: Tally, *, referee: bool) -> None:
    before = images.listed(place.path) if referee else {}
    begin = time.perf_counter()
    digest = hashlib.sha256(data).hexdigest()
    sidecar = place.beside(f"{place.relative.name}.xmp")
    request = TagRequest(place, recognise(data[:HEAD_BYTES]), digest, WORDS, RECORD, sidecar, embed=True)
    tags = draft(request, lambda at: at.path.read_bytes() if at.path.exists() else None, keyword_block)
    for rewrite in tags.rewrites:
        rewrite_file(rewrite)
    tally.milliseconds.append((time.perf_counter() - begin) * 1000)
    new = place.path.read_bytes()
    if tags.notes:
        reason = _refusal(data)
        tally.refused[reason] = tally.refused.get(reason, 0) + 1
        if new != data:
            tally.damaged.append(f"{place.relative.name}: changed in spite of a refusal")
        return
    tally.written += 1
    if images.pixels(data) != images.pixels(new):
        tally.damaged.append(f"{place.relative.name}: pixels")
    if referee and before != (after := images.listed(place.path)):
        tally.damaged.append(f"{place.relative.name}: {dict(before.items() ^ after.items())}")
    for rewrite in reversed(tags.rewrites):
        undo(rewrite)
    if place.path.read_bytes() != data or sidecar.path.exists():
        tally.damaged.append(f"{place.relative.name}: no way back")


def embedded(full: int) -> Iterator[Row]:
    """Tags in photos: camera files, files that were not used to develop the checks, and generated ones."""
    sets = {"camera files (`shared/camera`)": (real(SHARED / "camera"), True)}
    unseen = list(real(SHARED / "photos")) if full else []
    sets["other photos (`shared/photos`), bytes and pixels compared"] = (unseen[300:], False)
    sets["other photos, tags compared by exiftool as well"] = (unseen[:300], True)
    sets["generated: JPEG, PNG, WebP, TIFF"] = (images.generated(200 if full else 2), full > 0)
    for name, (files, referee) in sets.items():
        tally = tag_all(files, referee=referee)
        assert not tally.damaged, tally.damaged[:5]
        reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(tally.refused.items()))
        files_seen = tally.written + sum(tally.refused.values())
        speed = f"{statistics.median(tally.milliseconds):.1f} ms" if tally.milliseconds else "-"
        yield (name, str(files_seen), str(tally.written), reasons or "0", str(len(tally.damaged)), speed)


def sidecars(_full: int) -> Iterator[Row]:
    """Words in sidecars of other programs: only insertions, and values in our own namespace."""
    for name, old in images.SIDECARS.items():
        edits = sidecar_edits(old, WORDS, RECORD)
        new = apply_edits(old, edits)
        assert not any(edit.removed for edit in edits), name
        assert _without(new, [edit.inserted for edit in edits]) == old, name
        yield (name, str(len(edits)), "no", _read_back(new))


def _without(data: bytes, inserted: Sequence[bytes]) -> bytes:
    for piece in inserted:
        data = data.replace(piece, b"", 1)
    return data


def _read_back(sidecar: bytes) -> str:
    """Return which programs read our keyword in a sidecar."""
    found = []
    with tempfile.NamedTemporaryFile(suffix=".xmp") as file:
        file.write(sidecar)
        file.flush()
        for program, command in images.READERS.items():
            if shutil.which(command[0]):
                done = subprocess.run([*command, file.name], capture_output=True, check=False)
                assert b"defect:blur" in done.stdout, (program, done)
                found.append(program)
    return ", ".join(found)


def fuzzed(count: int) -> Iterator[Row]:
    """Damaged files: refused or verified, and never another error; written files decode as before."""
    dice = random.Random(SEED)  # noqa: S311
    whole = [*images.generated(1), *((f"{name}.xmp", data) for name, data in images.SIDECARS.items())]
    tallies: dict[str, list[int]] = {}
    for number in range(count):
        name, data = whole[number % len(whole)]
        tally = tallies.setdefault(Path(name).suffix[1:].upper(), [0, 0, 0])
        tally[0] += 1
        tally[1 if _fuzz(name, images.mutated(data, dice)) else 2] += 1
    for kind, (tried, written, refused) in sorted(tallies.items()):
        yield (kind, f"{tried:,}", f"{written:,}", f"{refused:,}", "0")


def _refusal(data: bytes) -> str:
    """Why culld does not write into a photo."""
    try:
        embedded_edits(data, recognise(data[:HEAD_BYTES]), WORDS, build_exif=keyword_block)
    except TagRefusedError as refusal:
        return refusal.reason
    return "only its sidecar was refused"


def _fuzz(name: str, data: bytes) -> bool:
    """Return whether a damaged file was written to; raises whatever else goes wrong."""
    try:
        if name.endswith(".xmp"):
            apply_edits(data, sidecar_edits(data, WORDS, RECORD))
            return True
        format_ = recognise(data[:HEAD_BYTES])
        new = apply_edits(data, embedded_edits(data, format_, WORDS, build_exif=keyword_block))
        verify_embedded(data, new, format_, WORDS)
    except TagRefusedError:
        return False
    assert images.pixels(data) == images.pixels(new), name
    return True


SECTIONS = {
    "embedded": (
        "Tags inside photos",
        ("photos", "files", "written", "refused, and tagged beside them", "damaged", "median for sidecar and photo"),
        embedded,
    ),
    "sidecars": (
        "Tags in sidecars that other programs wrote",
        ("whose", "insertions", "re-serialised", "read back by"),
        sidecars,
    ),
    "fuzz": (
        f"Damaged files, seed {SEED}",
        ("kind", "tried", "written, with the same picture", "refused", "crashes"),
        fuzzed,
    ),
}


def main() -> None:
    """Run everything, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fraction of it, to try it out; the report stays")
    options = parser.parse_args()
    if shutil.which("exiftool") is None:
        sys.exit("this needs exiftool: apt-get install libimage-exiftool-perl")
    parts = ["# What tags do to files\n\nWritten by `make metadata`. A damaged file ends the run.\n"]
    for title, columns, rows in SECTIONS.values():
        amount = {fuzzed: 40_000, embedded: 1, sidecars: 1}[rows]
        found = [columns, ("---",) * len(columns), *rows(amount // 100 if options.quick else amount)]
        parts.append(f"## {title}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in found) + "\n")
        print(parts[-1], flush=True)
    if not options.quick:
        (Path(__file__).parent / "RESULTS.md").write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
