"""Stacks: a photo and the files that belong to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from culld.records import Assessment, Format, RootedPath
from culld.stages.group import stacks
from harness import factories
from harness.judged_clips import clip


@pytest.mark.parametrize(
    ("names", "sidecars", "blocking"),
    [
        (["a.jpg"], [], []),
        (["a.jpg", "b.jpg.xmp", "ab.xmp"], [], []),
        (["a.jpg", "a.jpg.xmp"], ["a.jpg.xmp"], []),
        (["a.jpg", "a.xmp"], ["a.xmp"], []),
        (["a.jpg", "A.JPG.XMP", "A.xmp"], ["A.JPG.XMP", "A.xmp"], []),
        (["a.jpg", "a.xmp", "a.CR2"], [], ["a.CR2", "a.xmp"]),
        (["a.jpg", "a.jpg.xmp", "a.CR2"], ["a.jpg.xmp"], ["a.CR2"]),
        (["a.jpg", "a.xmp", "a.heic"], [], ["a.xmp"]),
        (["a.jpg", "a.MOV"], [], ["a.MOV"]),
        (["a.jpg", "a.jpg.pp3", "a.DOP", "a.jpg.pp3.bak"], ["a.DOP", "a.jpg.pp3"], []),
        (["a.jpg", "a.pp3", "a.CR2", "a.CR2.arp"], [], ["a.CR2", "a.pp3"]),
        (["a.jpg", "a_01.jpg.xmp", "a_02.JPG.xmp", "a_1.jpg.xmp"], ["a_01.jpg.xmp", "a_02.JPG.xmp"], []),
        (["a.jpg", "a_01.jpg", "a_01.jpg.xmp"], [], []),
        (["a.jpg", "a.WAV", "a.thm", "a.aae", "b.wav"], ["a.WAV", "a.aae", "a.thm"], []),
        (["a.jpg", "a.wav", "a.heic"], [], ["a.wav"]),
        (["a.jpg", "A.jpg", "A.jpg.xmp"], [], []),
        (["a.jpg", "A.jpg", "a.xmp"], [], ["a.xmp"]),
        (["a.jpg", "a.psd", "a.xmp"], [], ["a.xmp"]),
        (["a.jpg", "a.avi", "a.thm"], [], ["a.thm"]),
        (["a.jpg", "a.x3f", "a.xmp"], [], ["a.xmp"]),
        (["a.jpg", "a.jpg_original", "a.json", "a.xmp"], ["a.xmp"], []),
        (["a.jpg", "a.mov", "a.xmp"], ["a.xmp"], ["a.mov"]),
    ],
)
def test_companions_are_recognised_by_their_names(names: list[str], sidecars: list[str], blocking: list[str]) -> None:
    """Own sidecars move with a photo; a RAW, a movie or an ambiguous sidecar keeps it where it is."""
    assert stacks.companions("a.jpg", names) == (sidecars, blocking)


def test_a_raw_stays_with_its_jpeg() -> None:
    """A RAW is never taken because of its JPEG, nor without it."""
    assert stacks.companions("a.CR2", ["a.CR2", "a.jpg", "a.CR2.xmp"]) == (["a.CR2.xmp"], ["a.jpg"])
    assert stacks.companions("a.CR2", ["a.CR2", "a.xmp", "b.jpg"]) == (["a.xmp"], [])


def a_shot(*names: str) -> list[Assessment]:
    """Judged pictures, RAW or JPEG by their names."""
    found = [factories.assessment(name) for name in names]
    kinds = {".CR2": Format.RAW, ".jpg": Format.JPEG}
    return [replace(each, photo=replace(each.photo, format=kinds[each.photo.place.relative.suffix])) for each in found]


def test_a_raw_and_its_jpeg_are_one_shot_when_both_were_judged() -> None:
    """Each has its own sidecars; the one in Adobe's style is the RAW's."""
    names = ["a.CR2", "a.jpg", "a.xmp", "a.jpg.xmp", "a.CR2.xmp"]
    raw, picture = stacks.group(a_shot("a.CR2", "a.jpg"), lambda _: names)

    assert raw.members == (raw.primary, picture.primary)
    assert picture.members == (picture.primary, raw.primary)
    assert [place.relative.name for place in raw.sidecars] == ["a.CR2.xmp", "a.xmp"]
    assert [place.relative.name for place in picture.sidecars] == ["a.jpg.xmp"]
    assert (raw.sibling_sidecars, picture.sibling_sidecars) == (picture.sidecars, raw.sidecars)
    assert raw.blocking_files == picture.blocking_files == ()


def test_a_blocking_file_of_one_photo_keeps_the_whole_shot() -> None:
    """For example a third photo of that name that was judged before."""
    raw, picture = stacks.group(a_shot("a.CR2", "a.jpg"), lambda _: ["a.CR2", "a.jpg", "a.heic", "a.mov"])

    assert raw.blocking_files == picture.blocking_files
    assert [place.relative.name for place in raw.blocking_files] == ["a.heic", "a.mov"]


def test_the_movie_of_a_live_photo_goes_with_it() -> None:
    """Any other movie keeps the photo where it is."""

    def live(place: RootedPath) -> bool:
        return place.relative.name == "a.mov"

    (photo,) = stacks.group(a_shot("a.jpg"), lambda _: ["a.jpg", "a.mov", "a.mp4"], live)

    assert [place.relative.name for place in photo.sidecars] == ["a.mov"]
    assert [place.relative.name for place in photo.blocking_files] == ["a.mp4"]


def test_a_voice_memo_is_moved_with_the_raw() -> None:
    """It can be moved once only."""
    raw, picture = stacks.group(a_shot("a.CR2", "a.jpg"), lambda _: ["a.CR2", "a.jpg", "a.wav"])

    assert [place.relative.name for place in raw.sidecars] == ["a.wav"]
    assert picture.sidecars == ()


@pytest.mark.parametrize(
    "names",
    [
        ["IMG_0001.jpg", "IMG_E0001.jpg"],
        ["00000IMG_00000_BURST20190101143201468_COVER.jpg", "00001IMG_00001_BURST20190101143201468.jpg"],
        ["PXL_20240101_100000.RAW-01.COVER.jpg", "PXL_20240101_100000.RAW-02.ORIGINAL.CR2"],
    ],
)
def test_the_names_of_phones_show_which_photos_are_one_shot(names: list[str]) -> None:
    """One verdict holds for all of them; one that was not judged keeps the others where they are."""
    one, other = stacks.group(a_shot(*names), lambda _: names)
    assert one.siblings == (other.primary,)
    assert one.blocking_files == other.blocking_files == ()

    (alone,) = stacks.group(a_shot(names[0]), lambda _: names)
    assert [place.relative.name for place in alone.blocking_files] == [names[1]]


def test_photos_with_other_names_are_other_shots() -> None:
    """The whole number must be equal."""
    names = ["IMG_0001.jpg", "IMG_E0002.jpg", "IMG_E00010.jpg", "IMG_EDIT.jpg"]

    assert all(stack.siblings == stack.blocking_files == () for stack in stacks.group(a_shot(*names), lambda _: names))


def test_edits_are_moved_with_their_photo_and_protect_the_whole_shot() -> None:
    """RawTherapee's file lies beside the RAW, and the policy spares the JPEG for it as well."""
    raw, picture = stacks.group(a_shot("a.CR2", "a.jpg"), lambda _: ["a.CR2", "a.jpg", "a.CR2.pp3"])

    assert [place.relative.name for place in raw.sidecars] == ["a.CR2.pp3"]
    assert picture.sidecars == ()
    assert raw.editor_sidecars == picture.editor_sidecars == raw.sidecars


def test_the_movie_is_moved_with_the_photo_whose_name_it_has() -> None:
    """Apple's phones keep a movie for the edited photo, too."""
    names = ["IMG_0001.jpg", "IMG_E0001.jpg", "IMG_0001.mov", "IMG_E0001.mov", "IMG_0001.aae"]
    taken, edited = stacks.group(a_shot("IMG_0001.jpg", "IMG_E0001.jpg"), lambda _: names, lambda _: True)

    assert [place.relative.name for place in taken.sidecars] == ["IMG_0001.aae", "IMG_0001.mov"]
    assert [place.relative.name for place in edited.sidecars] == ["IMG_E0001.mov"]
    assert taken.blocking_files == edited.blocking_files == ()


def test_two_photos_without_a_raw_are_two_shots() -> None:
    """Different cameras and phones use the same numbers."""
    one, other = stacks.group(a_shot("a.jpg", "A.jpg"), lambda _: ["a.jpg", "A.jpg"])

    assert one.siblings == other.siblings == ()


def test_each_photo_gets_the_companions_of_its_own_folder() -> None:
    """Sidecars are places beside the photo."""
    assessed = [factories.assessment("x/a.jpg"), factories.assessment("y/a.jpg")]
    beside = {"x": ["a.jpg", "a.jpg.xmp"], "y": ["a.jpg"]}

    grouped = stacks.group(assessed, lambda place: beside[place.relative.parent.name])

    assert [stack.primary for stack in grouped] == assessed
    assert [stack.sidecars for stack in grouped] == [(factories.place("x/a.jpg.xmp"),), ()]


def test_a_link_that_is_called_like_a_sidecar_keeps_the_photo_where_it_is() -> None:
    """A link is not moved, so the photo is not moved away from it; an edit still protects the shot."""
    (photo,) = stacks.group(a_shot("a.jpg"), lambda _: ["a.jpg", "a.wav"], unclear_beside=lambda _: ["a.jpg.pp3"])

    assert [place.relative.name for place in photo.sidecars] == ["a.wav"]
    assert [place.relative.name for place in photo.blocking_files] == ["a.jpg.pp3"]
    assert photo.editor_sidecars == photo.blocking_files


@pytest.mark.parametrize(
    ("names", "sidecars", "blocking"),
    [
        (["a.mov"], [], []),
        (["a.mov", "a.mov.xmp", "b.mov"], ["a.mov.xmp"], []),
        (["a.mov", "a.xmp", "a.thm"], ["a.thm", "a.xmp"], []),
        (["a.mov", "a.jpg", "a.xmp"], [], ["a.jpg", "a.xmp"]),
        (["a.mov", "a.NEF"], [], ["a.NEF"]),
        (["a.mov", "a.mp4", "a.xmp"], [], ["a.mp4", "a.xmp"]),
        (["a.mov", "a.txt"], [], []),
    ],
)
def test_the_companions_of_a_clip(names: list[str], sidecars: list[str], blocking: list[str]) -> None:
    """A photo or another clip of its name may be of the same shot, so that it is not moved away from it."""
    assert stacks.companions("a.mov", names) == (sidecars, blocking)


def test_a_clip_is_no_sibling_of_a_photo() -> None:
    """Both are decided about by themselves, also in one batch."""
    found = stacks.group([factories.assessment("a.nef"), clip("a.mov")], lambda _: ["a.nef", "a.mov"])

    assert [stack.siblings for stack in found] == [(), ()]
    assert [[place.relative.name for place in stack.blocking_files] for stack in found] == [["a.mov"], ["a.nef"]]
