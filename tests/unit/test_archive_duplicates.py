"""Duplicates in an archive: which photos are copies, which are similar shots, and which is the best; without Ray."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from culld.archive.duplicates import find_duplicates, write_groups
from culld.archive.near_duplicates.bands import Pairs, band_bits, differing, near_pairs, turned
from culld.archive.near_duplicates.groups import stars
from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.parquet.row import hash_bytes, place_columns
from culld.archive.scoring.shards import deleted_row, write_rows
from culld.cli import exit_codes, main
from culld.cli.archive_duplicates import block
from culld.errors import ConfigError, SystemFaultError
from culld.imaging.decode import frame_of
from culld.records import RootedPath
from culld.stages.read.assess import dhash_of

pytest.importorskip("pyarrow")

Row = dict[str, Any]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def picture(seed: int, size: tuple[int, int] = (480, 320)) -> Image.Image:
    """A drawn picture: soft spots of light, with detail of many sizes."""
    spots = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    fine = np.random.default_rng(seed + 1000).integers(0, 256, (18, 24, 3), np.uint8)
    layers = [Image.fromarray(each).resize(size, Image.Resampling.BICUBIC) for each in (spots, fine)]
    return Image.blend(layers[0], layers[1], 0.4)


def row(path: str, photo: Image.Image | bytes, **facts: object) -> Row:
    """The row of a photo, of which the pixels or the hash are known."""
    is_hash = isinstance(photo, bytes)
    dhash = photo if is_hash else hash_bytes(dhash_of(frame_of(np.asarray(photo))))
    width, height = (480, 320) if is_hash else photo.size
    name = path.encode("utf-8", "surrogateescape")
    known = {
        "status": "scored", "size": 1000, "mtime_ns": 0, "digest": name.rjust(32, b"\0")[-32:], "orientation": 1,
        "width": width, "height": height, "dhash": dhash,
    }  # fmt: skip
    return {**place_columns(Path(path)), **known, **facts}


def archive(out: Path, *scans: list[Row]) -> Path:
    """An archive with these rows."""
    out.mkdir(exist_ok=True)
    folder = ArchiveFolder(out)
    folder.open(Manifest(("/photos",), "model@1"))
    for number, rows in enumerate(scans, 1):
        write_rows(folder.shard(number, 0), rows, number)
    return out


def groups_in(out: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The names of the photos in the groups of copies, and of similar shots."""
    copies, similar = find_duplicates(out)
    return tuple([[each.path.name for each in group.members] for group in kind.groups()] for kind in (copies, similar))  # type: ignore[return-value]


def hashes(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Hashes with random bits."""
    return np.random.default_rng(seed).integers(0, 256, (count, 64), np.uint8)


def flipped(given: bytes, *bits: int) -> bytes:
    """A hash with other bits at these places."""
    found = bytearray(given)
    for bit in bits:
        found[bit // 8] ^= 128 >> bit % 8
    return bytes(found)


def test_a_photo_saved_smaller_or_cropped_by_3_percent_is_a_copy(tmp_path: Path) -> None:
    """Each of several pictures is in a group with its copies, and with nothing else."""
    rows = []
    for seed in range(12):
        photo = picture(seed)
        rows += [
            row(f"/p/{seed}/whole.jpg", photo),
            row(f"/p/{seed}/small.jpg", photo.resize((120, 80))),
            row(f"/p/{seed}/cropped.jpg", photo.crop((14, 10, 466, 310))),
        ]

    copies, similar = find_duplicates(archive(tmp_path, rows))

    found = [{each.path.parent.name for each in group.members} for group in copies.groups()]
    assert sorted(found, key=str) == sorted(({str(seed)} for seed in range(12)), key=str)
    assert copies.photos == 36
    assert len(similar) == 0


def test_a_square_photo_and_its_crop_are_copies_although_one_was_hashed_lying(tmp_path: Path) -> None:
    """The crop is a portrait, which the hash sees turned by 90 degrees."""
    photo = picture(1, (400, 400))
    upright, lying = (np.frombuffer(hash_bytes(dhash_of(np.asarray(each))), np.uint8)[None]
                      for each in (photo, photo.transpose(Image.Transpose.ROTATE_90)))  # fmt: skip

    both = np.concatenate([upright, turned(lying)])

    assert differing(both, np.array([0]), np.array([1])) < 30
    out = archive(tmp_path, [row("/p/a.jpg", photo), row("/p/b.jpg", photo.crop((12, 0, 400, 400)))])
    assert groups_in(out) == ([["a.jpg", "b.jpg"]], [])


@pytest.mark.parametrize("width", [376, 388, 400])
def test_portraits_of_any_aspect_ratio_and_their_crops_are_copies(width: int, tmp_path: Path) -> None:
    """A photo of 1.09 and its crop of 1.12 are turned alike, and so are two of more."""
    photo = picture(1, (width, 436))
    crop = photo.crop((12, 0, width, 436))

    out = archive(tmp_path, [row("/p/a.jpg", photo), row("/p/b.jpg", crop)])

    assert [sorted(each) for each in groups_in(out)[0]] == [["a.jpg", "b.jpg"]]


@pytest.mark.parametrize(
    ("names", "later", "kind"),
    [
        (("DSC_0001.jpg", "DSC_0002.jpg"), timedelta(seconds=1), "similar"),
        (("DSC_0001.jpg", "DSC_0002.jpg"), timedelta(0), "similar"),
        (("DSC_0001.jpg", "DSC_0001-small.jpg"), timedelta(0), "copies"),
        (("DSC_0001.jpg", "DSC_0001-small.jpg"), timedelta(milliseconds=300), "similar"),
        (("DSC_0001.jpg", "DSC_0001-small.jpg"), None, "copies"),
    ],
)
def test_frames_of_a_burst_are_no_copies(
    names: tuple[str, str], later: timedelta | None, kind: str, tmp_path: Path
) -> None:
    """Their times differ or, in one second, the numbers that the camera gave them; an unknown time says nothing."""
    first = NOON.replace(microsecond=100_000)
    dhash = hashes(1)[0].tobytes()
    times = (first, None if later is None else first + later)
    rows = [row(f"/p/{name}", flipped(dhash, at), taken_at=time)
            for at, (name, time) in enumerate(zip(names, times, strict=True))]  # fmt: skip

    copies, similar = groups_in(archive(tmp_path, rows))

    assert (len(copies), len(similar)) == ((1, 0) if kind == "copies" else (0, 1))


def test_frames_of_a_bracket_are_no_copies(tmp_path: Path) -> None:
    """One is brighter."""
    dhash = hashes(1)[0].tobytes()
    rows = [row(f"/p/{ev}.jpg", dhash, brightness=float(ev)) for ev in (0, 2)]

    assert groups_in(archive(tmp_path, rows)) == ([], [["0.jpg", "2.jpg"]])


@pytest.mark.parametrize(
    ("size", "brightness", "kind"),
    [
        ((480, 320), 0.5, "copies"),
        ((480, 320), 0.8, "similar"),
        ((452, 302), 0.8, "copies"),
        ((452, 302), 1.2, "similar"),
    ],
)
def test_a_crop_may_be_brighter_than_a_photo_of_the_same_size(
    size: tuple[int, int], brightness: float, kind: str, tmp_path: Path
) -> None:
    """A crop moves the median of a photo of a bright and a dark half; the frames of a bracket have one size."""
    dhash = hashes(1)[0].tobytes()
    width, height = size
    rows = [
        row("/p/a.jpg", dhash, brightness=0.0),
        row("/p/b.jpg", dhash, brightness=brightness, width=width, height=height),
    ]

    copies, similar = groups_in(archive(tmp_path, rows))

    assert [len(each) for each in copies] == ([2] if kind == "copies" else [])
    assert [len(each) for each in similar] == ([2] if kind == "similar" else [])


def test_a_raw_and_its_jpeg_are_one_shot_and_no_group(tmp_path: Path) -> None:
    """Together with a copy in another folder they are one."""
    shot = [row("/p/a.dng", hashes(1)[0].tobytes(), siblings=["a.jpg"]),
            row("/p/a.jpg", hashes(1)[0].tobytes(), siblings=["a.dng"])]  # fmt: skip

    assert groups_in(archive(tmp_path / "one", shot)) == ([], [])
    more = [*shot, row("/q/a.jpg", hashes(1)[0].tobytes())]
    assert groups_in(archive(tmp_path / "more", more)) == ([["a.dng", "a.jpg", "a.jpg"]], [])


def test_photos_of_a_plain_area_are_copies_only_by_their_bytes(tmp_path: Path) -> None:
    """The hashes of two skies are equal, and say nothing; nor does that of a photo that cannot be decoded."""
    sky, bytes_ = bytes(32) + b"\xff" * 32, {"digest": b"d" * 32}
    rows = [
        row("/p/a.jpg", sky), row("/p/b.jpg", sky),
        row("/p/c.jpg", sky, **bytes_), row("/p/d.jpg", sky, **bytes_),
        row("/p/e.jpg", sky, status="unreadable", dhash=None, width=None, height=None),
        row("/p/f.jpg", sky, status="unreadable", dhash=None, width=None, height=None),
    ]  # fmt: skip

    assert groups_in(archive(tmp_path, rows)) == ([["c.jpg", "d.jpg"]], [])


def test_photos_of_another_aspect_ratio_are_no_copies(tmp_path: Path) -> None:
    """However alike their hashes are."""
    dhash = hashes(1)[0].tobytes()

    assert groups_in(archive(tmp_path, [row("/p/a.jpg", dhash), row("/p/b.jpg", dhash, width=360)])) == ([], [])


def test_the_search_finds_what_a_comparison_of_all_photos_finds() -> None:
    """Of 400 hashes, each of which has a like one with 30 other bits."""
    draw = np.random.default_rng(3)
    some = hashes(200)
    flips = np.zeros((200, 512), np.uint8)
    flips[:, :30] = 1
    every = np.concatenate([some, some ^ np.packbits(draw.permuted(flips, axis=1), axis=1)])

    found = near_pairs(every, lambda one, other: differing(every, one, other) <= 60)

    one, other = np.triu_indices(400, 1)
    near = differing(every, one, other) <= 60
    assert np.array_equal(found.first, one[near])
    assert np.array_equal(found.second, other[near])


def test_many_photos_of_one_hash_do_not_become_all_their_pairs(tmp_path: Path) -> None:
    """5,000 of them have 12,000,000 pairs. Where nothing tells them apart they are one group without any search."""
    count = 5_000
    same = np.repeat(hashes(1), count, axis=0)

    found = near_pairs(same, lambda one, _: np.ones(len(one), np.bool_))

    assert count / 2 <= len(found.first) <= 100 * count
    rows = [row(f"/p/{number:05}.jpg", same[0].tobytes()) for number in range(3000)]
    copies, _ = find_duplicates(archive(tmp_path, rows))
    assert [len(group.members) for group in copies.groups()] == [3000]


def test_no_search_is_made_among_fewer_than_two_photos(tmp_path: Path) -> None:
    """An archive may hold none."""
    for count in (0, 1):
        assert len(near_pairs(hashes(count), lambda one, _: one >= 0).first) == 0
    assert groups_in(archive(tmp_path / "none")) == ([], [])
    assert groups_in(archive(tmp_path / "one", [row("/p/a.jpg", picture(1))])) == ([], [])


def test_bands_get_longer_with_the_archive() -> None:
    """So that the photos in one bucket do not become more; up to 20 bits."""
    assert [band_bits(count) for count in (1, 20_000, 1_000_000, 10_000_000, 1_000_000_000)] == [10, 11, 16, 20, 20]


def test_a_chain_of_like_photos_is_no_group() -> None:
    """0 resembles 1, 1 resembles 2, and so on: those at both ends show different things."""
    chain = Pairs(np.arange(6), np.arange(1, 7))

    found = stars(8, chain)

    members = [set(np.flatnonzero(found == hub).tolist()) for hub in np.unique(found)]
    assert sorted(map(sorted, members)) == [[0, 1, 2], [3, 4], [5, 6], [7]]


def test_the_sharper_photo_is_first_and_a_smaller_copy_last(tmp_path: Path) -> None:
    """A smaller copy has sharper pixels and less detail. If one has no sharpness, blur decides; then size and age."""
    dhash = hashes(1)[0].tobytes()

    def order(name: str, **facts: dict[str, object]) -> list[str]:
        return groups_in(archive(tmp_path / name, [row(f"/p/{key}", dhash, **each) for key, each in facts.items()]))[0][
            0
        ]

    small = {"sharpness": 0.9, "width": 240, "height": 160}
    assert order("sharp", soft={"sharpness": 0.3}, small=small, sharp={"sharpness": 0.5}) == ["sharp", "soft", "small"]
    assert order("blur", a={"sharpness": 0.9, "blur": 0.5}, b={"blur": 0.1}) == ["b", "a"]
    assert order("size", a={"mtime_ns": 3}, b={"mtime_ns": 2}, c={"size": 2000}) == ["c", "b", "a"]


def test_groups_that_hold_most_bytes_besides_the_first_photo_come_first(tmp_path: Path) -> None:
    """They are what a user may gain."""
    many = hashes(2)
    rows = [row(f"/p/{name}", many[int(name > "b")].tobytes(), size=size)
            for name, size in (("a", 900), ("b", 10), ("c", 500), ("d", 400))]  # fmt: skip

    copies, _ = find_duplicates(archive(tmp_path, rows))

    assert [[each.path.name for each in group.members] for group in copies.groups()] == [["c", "d"], ["a", "b"]]
    assert copies.spare_bytes == 410
    assert len(list(copies.groups(1))) == 1


def test_only_the_last_row_of_a_photo_counts(tmp_path: Path) -> None:
    """A photo that is gone, could not be read, or shows something else now, is no copy."""
    dhash = hashes(1)[0].tobytes()
    first = [row(f"/p/{name}.jpg", dhash) for name in "abcde"]
    gone = deleted_row(RootedPath(Path("/p"), Path("c.jpg")))
    second = [gone, row("/p/d.jpg", dhash, status="failed", digest=None), row("/p/e.jpg", hashes(1, 5)[0].tobytes())]

    assert groups_in(archive(tmp_path, first, second)) == ([["a.jpg", "b.jpg"]], [])


def test_a_folder_without_a_readable_archive_is_refused_with_one_sentence(tmp_path: Path) -> None:
    """It has none, it has another schema, or its rows are damaged."""
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path} is no archive: it has no archive.json")):
        find_duplicates(tmp_path)

    out = archive(tmp_path / "out", [row("/p/a.jpg", picture(1))])
    ArchiveFolder(out).shard(1, 1).write_bytes(b"PAR1 damaged")
    with pytest.raises(SystemFaultError, match=r"the rows of .* cannot be read: "):
        find_duplicates(out)

    (out / "archive.json").write_text('{"schema": 99}')
    with pytest.raises(ConfigError, match="has schema 99, and this culld writes"):
        find_duplicates(out)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_group_is_no_wider_than_the_terminal(width: int, tmp_path: Path) -> None:
    """Of a long path the middle is left out; the name stays. The first photo is marked."""
    dhash = hashes(1)[0].tobytes()
    long = "/photos/" + "a very long name/" * 20 + "写真" * 10
    rows = [row(f"{long}/{name}.jpg", dhash, taken_at=NOON, sharpness=0.5, digest=b"d" * 32) for name in "ab"]

    (group,) = find_duplicates(archive(tmp_path, rows))[0].groups()
    lines = block(group, width)

    assert max(map(cell_len, lines)) <= width
    assert [line[:2] for line in lines[1::2]] == ["* ", "  "]
    assert all(line.endswith(".jpg") for line in lines[1::2])
    assert block(group)[1] == f"* {long}/a.jpg"
    assert block(group)[4] == "    480x320, 1.0 kB, 2026-05-01 12:00:00, sharpness 0.5, same bytes as the first"


def test_the_command_prints_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Similar shots only if they are asked for; text says how many there are."""
    many = hashes(2)
    rows = [row(f"/p/{name}.jpg", many[0].tobytes()) for name in "ab"]
    rows += [row(f"/p/{name}.jpg", many[1].tobytes(), taken_at=NOON.replace(minute=at)) for at, name in enumerate("cd")]
    out = str(archive(tmp_path, rows))

    assert main(["archive", "duplicates", out]) == exit_codes.FINE
    assert capsys.readouterr().out.splitlines() == [
        "2 copies of one shot",
        "* /p/a.jpg",
        "    480x320, 1.0 kB",
        "  /p/b.jpg",
        "    480x320, 1.0 kB",
        "",
        (
            "1 group of copies with 2 photos; all but the first of each take 1.0 kB;"
            " 1 group of similar shots (--similar lists them)"
        ),
    ]
    assert main(["archive", "duplicates", out, "--similar", "--json"]) == exit_codes.FINE
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["kind"], [photo["path"] for photo in each["photos"]]) for each in found] == [
        ("copy", ["/p/a.jpg", "/p/b.jpg"]), ("similar", ["/p/c.jpg", "/p/d.jpg"])
    ]  # fmt: skip


def test_all_groups_are_written_to_a_new_file(tmp_path: Path) -> None:
    """As CSV or Parquet; another name, and a file that exists, are refused."""
    import pyarrow.parquet as pq

    many, name = hashes(2), "/p/\udcff.jpg"
    rows = [row(path, many[0].tobytes()) for path in ("/p/a.jpg", name)]
    rows += [row(f"/p/{each}.jpg", many[1].tobytes(), taken_at=NOON.replace(minute=at)) for at, each in enumerate("cd")]
    found = find_duplicates(archive(tmp_path / "out", rows))

    write_groups(tmp_path / "a.csv", found)
    write_groups(tmp_path / "a.parquet", found)

    with (tmp_path / "a.csv").open() as file:
        assert [(each["group"], each["kind"], each["rank"], each["path"]) for each in csv.DictReader(file)] == [
            ("1", "copy", "1", "/p/\\xff.jpg"), ("1", "copy", "2", "/p/a.jpg"),
            ("2", "similar", "1", "/p/c.jpg"), ("2", "similar", "2", "/p/d.jpg"),
        ]  # fmt: skip
    assert pq.read_table(tmp_path / "a.parquet")["path_bytes"].to_pylist()[0] == b"/p/\xff.jpg"
    with pytest.raises(ConfigError, match=r"a\.csv exists; name a new file"):
        write_groups(tmp_path / "a.csv", found)
    with pytest.raises(ConfigError, match=r"write a name that ends with \.csv or \.parquet"):
        write_groups(tmp_path / "a.txt", found)
