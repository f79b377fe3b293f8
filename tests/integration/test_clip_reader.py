"""Clips of every container are decoded upright, in order and in their colours, and bad ones are refused in words."""

from __future__ import annotations

import io
import random
import struct
from fractions import Fraction

import numpy as np
import pytest

from culld.errors import PhotoError
from culld.imaging.clip_reader import open_clip
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.records.clips import ClipFacts, Transfer
from harness.camera_clips import Encoding, encode, sound_only

SIZE = (160, 96)
QUICK = {"crf": "12", "preset": "ultrafast"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "0"}
HEVC = {"preset": "ultrafast", "crf": "12", "x265-params": "log-level=none"}
LIMITS = DecodeLimits()


def picture(number: int) -> np.ndarray:
    """A frame whose top left is red, bottom right blue, and whose grey part tells its number."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 4 * number, np.uint8)
    pixels[:48, :80] = (200, 20, 20)
    pixels[48:, 80:] = (20, 20, 200)
    return pixels


FRAMES = [picture(number) for number in range(50)]
MP4 = encode(FRAMES, Encoding(options=QUICK))


def facts_of(data: bytes) -> ClipFacts:
    """The facts about a clip."""
    with open_clip(io.BytesIO(data), LIMITS) as clip:
        return clip.facts


def refusal(data: bytes, limits: DecodeLimits = LIMITS) -> str:
    """The sentence with which a clip is refused, at its first frames or at a later one."""
    with pytest.raises(UnreadableError) as caught, open_clip(io.BytesIO(data), limits) as clip:
        for _ in clip.samples(64):
            pass
    return str(caught.value)


@pytest.mark.parametrize(
    "encoding",
    [
        Encoding("mp4", options=QUICK),
        Encoding("mov", options=QUICK),
        Encoding("3gp", "libx264", options=QUICK),
        Encoding("matroska", options=QUICK),
        Encoding("webm", "libvpx-vp9", options=VP9),
        Encoding("mpegts", options=QUICK),
        Encoding("mpegts", options=QUICK, container_options={"mpegts_m2ts_mode": "1"}),
        Encoding("avi", "mpeg4", options={"qscale": "2"}),
        Encoding("avi", "mjpeg", pixel_format="yuvj420p", options={"qscale": "2"}),
        Encoding("mp4", "libx265", pixel_format="yuv420p10le", options=HEVC),
        Encoding("mov", "prores_ks", pixel_format="yuv422p10le", options={}),
    ],
    ids=lambda encoding: f"{encoding.container} {encoding.codec}",
)
def test_every_frame_comes_in_order_in_its_colours(encoding: Encoding) -> None:
    """Red stays red, and the grey grows from frame to frame."""
    with open_clip(io.BytesIO(encode(FRAMES, encoding)), LIMITS) as clip:
        found = list(clip.frames(None))
        facts = clip.facts

    assert (facts.width, facts.height, facts.rotation) == (*SIZE, 0)
    assert facts.seconds == pytest.approx(50 / 30, abs=0.05)
    assert facts.rate == pytest.approx(30, abs=0.1)
    assert [frame.at for frame in found] == pytest.approx([number / 30 for number in range(50)], abs=0.002)
    for number, frame in enumerate(found):
        assert frame.pixels.shape == (SIZE[1], SIZE[0], 3)
        assert np.abs(frame.pixels[8:40, 8:72].mean((0, 1)) - (200, 20, 20)).max() < 12
        assert np.abs(frame.pixels[56:88, 88:152].mean((0, 1)) - (20, 20, 200)).max() < 12
        assert frame.pixels[8:40, 88:152].mean() == pytest.approx(4 * number, abs=4)


@pytest.mark.parametrize(("rotation", "red"), [(90, (0, 1)), (180, (1, 1)), (270, (1, 0))])
def test_a_turned_clip_is_turned_upright(rotation: int, red: tuple[int, int]) -> None:
    """The red quarter, stored at the top left, goes clockwise; `red` is its (row, column) then."""
    with open_clip(io.BytesIO(encode(FRAMES, Encoding("mov", rotation=rotation, options=QUICK))), LIMITS) as clip:
        frame = next(clip.frames(None)).pixels
        _, sample = next(clip.samples(80))
        facts = clip.facts

    upright = SIZE[::-1] if rotation != 180 else SIZE
    assert (facts.width, facts.height, facts.rotation) == (*upright, rotation)
    for pixels in (frame, sample):
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        quarter = pixels[red[0] * height :, red[1] * width :][:height, :width]
        assert quarter.mean((0, 1))[0] > 160
        assert quarter.mean((0, 1))[2] < 60
    assert frame.shape == (upright[1], upright[0], 3)
    assert max(sample.shape) == 80


def test_the_times_of_a_variable_rate_are_those_of_the_frames() -> None:
    """20 frames at 50 ms, then 30 at 200 ms: samples are half a second apart by the clock, not by the count."""
    times = tuple(50 * number if number < 20 else 1000 + 200 * (number - 20) for number in range(50))
    data = encode(FRAMES, Encoding(options={**QUICK, "g": "1000"}, times=times))

    with open_clip(io.BytesIO(data), LIMITS) as clip:
        frames = list(clip.frames(64))
        samples = [at for at, _ in clip.samples(64)]

    assert [frame.at for frame in frames] == pytest.approx([time / 1000 for time in times], abs=0.001)
    assert [float(frame.pts * frame.time_base) for frame in frames] == pytest.approx([time / 1000 for time in times])
    assert all(isinstance(frame.time_base, Fraction) for frame in frames)
    assert len(samples) == 14
    assert np.diff(samples).max() <= 0.6 + 1e-6


def test_key_frames_are_samples_as_well() -> None:
    """Here one in four frames."""
    data = encode(FRAMES, Encoding(options={**QUICK, "g": "4", "sc_threshold": "0"}))

    with open_clip(io.BytesIO(data), LIMITS) as clip:
        samples = [round(30 * at) for at, _ in clip.samples(64)]

    assert set(range(0, 50, 4)) <= set(samples)
    assert {0, 15, 30, 45} <= set(samples)


def test_a_clip_is_decoded_from_its_start_as_often_as_it_is_asked() -> None:
    """Nothing is left over from the pass before, even if that ended early."""
    with open_clip(io.BytesIO(MP4), LIMITS) as clip:
        first = [at for at, _ in clip.samples(64)]
        next(clip.frames(64))
        assert [at for at, _ in clip.samples(64)] == first


@pytest.mark.parametrize(("code", "transfer"), [(18, Transfer.HLG), (16, Transfer.PQ), (1, Transfer.SDR)])
def test_hdr_is_recognised(code: int, transfer: Transfer) -> None:
    """By the code in the stream."""
    assert facts_of(encode(FRAMES[:3], Encoding("mp4", options=QUICK, transfer=code))).transfer is transfer


def test_a_log_profile_is_recognised_by_its_metadata() -> None:
    """As cameras write it into MOV and MP4."""
    data = encode(FRAMES[:3], Encoding("mov", options=QUICK, metadata={"com.vendor.camera.gamma": "S-Log3"}))

    assert facts_of(data).transfer is Transfer.LOG


def test_sound_is_noticed() -> None:
    """It is not decoded."""
    assert facts_of(encode(FRAMES, Encoding(options=QUICK, sound=True))).has_audio
    assert not facts_of(MP4).has_audio


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty: the clip has 0 bytes"),
        (bytes(4000), "not a clip of a format that culld reads"),
        (b"#EXTM3U\n#EXT-X-STREAM-INF:\nhttp://example.org/a.ts\n", "not a clip of a format that culld reads"),
        (encode(FRAMES[:1], Encoding(options=QUICK)), "not a clip: the file holds a single frame"),
        (sound_only(), "not a clip: the file holds only sound"),
        (MP4[: len(MP4) // 2], "not complete: the clip lacks its last "),
        (MP4[: MP4.index(b"moov") - 4], "not complete: the clip lacks its index (the box moov)"),
        (MP4.replace(b"moov", b"free", 1), "not complete: the clip lacks its index (the box moov)"),
    ],
    ids=["empty", "zeros", "playlist", "one frame", "sound", "half", "no index", "lost index"],
)
def test_a_bad_clip_is_refused_with_one_sentence(data: bytes, words: str) -> None:
    """Which says what it lacks."""
    assert refusal(data).startswith(words)


@pytest.mark.parametrize("codec", [("webm", "libvpx-vp9", VP9), ("avi", "mpeg4", {}), ("matroska", "libx264", QUICK)])
def test_half_a_clip_is_not_complete(codec: tuple[str, str, dict[str, str]]) -> None:
    """In each container that gives its size."""
    data = encode(FRAMES, Encoding(codec[0], codec[1], options=codec[2]))

    assert refusal(data[: len(data) // 2]).startswith("not complete")


def test_a_header_that_claims_four_gigabytes_is_refused() -> None:
    """In the size of the frames, in that of their table, and in that of each frame."""
    frames = bytearray(MP4)
    at = MP4.index(b"mdat")
    frames[at - 4 : at] = struct.pack(">I", 0xFFFFFFF0)
    table = bytearray(MP4)
    at = MP4.index(b"stsz")
    table[at + 8 : at + 16] = struct.pack(">II", 0, 0xFFFFFFFF)
    each = bytearray(MP4)
    each[at + 8 : at + 12] = struct.pack(">I", 0xFFFFFFFF)

    assert refusal(bytes(frames)).startswith("not complete: the clip lacks its last 4,29")
    assert refusal(bytes(table)).startswith("damaged")
    assert refusal(bytes(each)).startswith("damaged")


def test_frames_that_are_too_large_are_refused() -> None:
    """Before one is decoded."""
    assert refusal(MP4, DecodeLimits(pixels=10_000)) == "frames of 160x96 pixels are more than the limit of 10000"


def test_a_damaged_frame_is_refused() -> None:
    """Bytes in the middle, where the index is whole."""
    data = bytearray(MP4)
    middle = MP4.index(b"mdat") + 1000
    data[middle : middle + 4000] = b"\xff" * 4000

    assert refusal(bytes(data)).startswith("damaged: the clip cannot be decoded")


def test_any_damage_is_answered_in_words() -> None:
    """Changed bytes and cuts of four containers: decoded, or refused as unreadable; nothing else is raised."""
    dice = random.Random(11)  # noqa: S311
    clips = [MP4]
    clips += [encode(FRAMES, Encoding(name, options=QUICK)) for name in ("matroska", "mpegts", "avi")]
    refusals: list[str] = []
    for _ in range(80):
        data = bytearray(dice.choice(clips))
        for _ in range(dice.choice([1, 6, 50])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        cut = bytes(data[: dice.randrange(len(data))]) if dice.random() < 0.3 else bytes(data)
        try:
            with open_clip(io.BytesIO(cut), LIMITS) as clip:
                assert sum(1 for _ in clip.samples(64)) >= 1
        except PhotoError as error:
            refusals.append(str(error))

    assert len(refusals) > 10
    assert all(text and "\n" not in text for text in refusals)
