"""Values from files become valid records for all later stages, whatever the files hold."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import piexif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from culld.errors import PhotoError
from culld.journal.row_mapping import decision_row, moment_of, scores_of, to_micros
from culld.journal.stack_json import facts_in, parsed, series_in, siblings_in, stack_in, to_json
from culld.quarantine.record import BadRecordError, from_bytes, to_bytes
from culld.records import (
    Action,
    Assessment,
    Camera,
    DHash,
    Exposure,
    Format,
    Policy,
    RecordedDecision,
    Rule,
    Scores,
    Stack,
    Unreadable,
)
from culld.rules import parse
from culld.stages.decide.bursts import best_of
from culld.stages.decide.decide import decide
from culld.stages.decide.rule_variables import variables_of
from culld.stages.group.grouping import Grouper
from culld.stages.group.series import series_of
from culld.stages.plan import bare_plan
from culld.stages.read.exif_facts import camera_facts, exif_rating
from culld.stages.report import journal_fields, log_line
from culld.tags.user_metadata import user_metadata_in
from harness import factories

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_UNSIGNED, _SIGNED = st.integers(0, 0xFFFFFFFF), st.integers(-(1 << 31), (1 << 31) - 1)
_DATES = st.builds(
    "{:04}:{:02}:{:02} {:02}:{:02}:{:02}".format,
    st.sampled_from([0, 1, 2, 1899, 1900, 1970, 2024, 2200, 2201, 9998, 9999]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.integers(0, 25),
    st.integers(0, 61),
    st.integers(0, 62),
).map(str.encode)
_OFFSETS = st.sampled_from([b"+00:00", b"-14:00", b"+14:00", b"+23:59", b".5", b",5", b":30", b"Z", b"+01:00:00.5"])
_EXIF_VALUES: Mapping[int, st.SearchStrategy[Any]] = {
    piexif.ExifIFD.ExposureTime: st.tuples(_UNSIGNED, _UNSIGNED),
    piexif.ExifIFD.FNumber: st.tuples(_UNSIGNED, _UNSIGNED),
    piexif.ExifIFD.ISOSpeedRatings: st.integers(0, 0xFFFF),
    piexif.ExifIFD.ExposureBiasValue: st.tuples(_SIGNED, _SIGNED),
    piexif.ExifIFD.FocalLength: st.tuples(_UNSIGNED, _UNSIGNED),
    piexif.ExifIFD.DateTimeOriginal: _DATES | st.binary(max_size=30),
    piexif.ExifIFD.SubSecTimeOriginal: st.binary(max_size=9),
    piexif.ExifIFD.OffsetTimeOriginal: _OFFSETS | st.binary(max_size=9),
    piexif.ExifIFD.ExposureMode: st.integers(0, 0xFFFF),
}
_MARK = b"Exif\0\0"
_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NUMBERS = st.none() | st.integers() | st.floats() | st.booleans()
_MOMENTS = st.datetimes(timezones=st.none() | st.sampled_from([UTC, timezone(timedelta(hours=23, minutes=59))]))
_RULES = replace(
    factories.rules(),
    named_rules=(Rule("mine", parse("light_value * iso / exposure_time > age_days - hour"), Action.QUARANTINE),),
)


@st.composite
def exif_blocks(draw: st.DrawFn) -> bytes:
    """A well-formed block with arbitrary values; its rationals may be signed where the standard has none."""
    exif = draw(st.fixed_dictionaries({}, optional=dict(_EXIF_VALUES)))
    first = {piexif.ImageIFD.Model: draw(st.binary(max_size=40)), piexif.ImageIFD.Orientation: draw(_SHORTS)}
    block: bytes = piexif.dump({"0th": first, "Exif": exif})
    if draw(st.booleans()):
        for tag in (piexif.ExifIFD.ExposureTime, piexif.ExifIFD.FNumber, piexif.ExifIFD.FocalLength):
            block = block.replace(struct.pack(">HHI", tag, 5, 1), struct.pack(">HHI", tag, 10, 1))
    return block


_SHORTS = st.integers(0, 0xFFFF)


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    """Camera facts that the builders make from arbitrary values."""
    names = ("time_s", "aperture", "iso", "bias_ev")
    exposure = Exposure.of({name: draw(_NUMBERS | st.text(max_size=3)) for name in names})
    said = {
        "model": draw(_NUMBERS | st.text(max_size=300)),
        "orientation": draw(_NUMBERS | st.integers(0, 9)),
        "focal_mm": draw(_NUMBERS),
        "auto_bracket": draw(_NUMBERS),
    }
    return Camera.of(said, draw(st.none() | _MOMENTS | st.just(factories.NOON)), exposure)


@st.composite
def assessments(draw: st.DrawFn) -> Assessment:
    """A photo with an arbitrary camera and arbitrary scores, NaN and infinity among them."""
    result = draw(st.builds(Scores, st.floats(), st.floats(), st.floats()) | st.builds(Unreadable, st.text(max_size=9)))
    bits = st.integers(0, (1 << DHash.SIDE**2) - 1)
    likeness = draw(st.none() | st.builds(DHash, bits, bits))
    name = draw(st.sampled_from(["a.jpg", "b.jpg", "c.jpg", "x/d.jpg", "e.nef", "e.jpg"]))
    photo = replace(factories.photo(name, name.encode()), camera=draw(cameras()))
    return Assessment(photo, result, "model@1", likeness)


def read_back(text: str, primary: Assessment) -> None:
    """Read all that the JSON of a decision holds beside the facts."""
    known = parsed(text)
    stack_in(known, primary)
    siblings_in(known, primary.photo.place)
    series_in(known, primary.photo.place)


def carry(assessed: list[Assessment], rules: Policy = _RULES) -> None:
    """Take photos through all that the loop does after reading, without a disk."""
    unique = list({each.photo.place: each for each in assessed}.values())
    stacks = Grouper().in_series([Stack(each) for each in unique])
    for series in series_of(unique).values():
        best_of(series, rules)
    for stack in stacks:
        variables_of(stack, factories.NOON)
        plan = bare_plan(decide(stack, rules, now=factories.NOON, restored=False), "defect:")
        decision_row(RecordedDecision.of(plan))
        read_back(to_json(stack), stack.primary)
        outcome = factories.outcome(plan)
        assert log_line(outcome)
        assert journal_fields(outcome)


@unhurried
@given(exif_blocks())
def test_any_exif_gives_facts_that_every_stage_can_use(block: bytes) -> None:
    """Dates, numbers and texts of any value."""
    camera = camera_facts(block)

    assert all(0 < rating.stars <= 5 for rating in exif_rating(block))
    carry([replace(factories.assessment(), photo=replace(factories.photo(), camera=camera))])


@unhurried
@given(st.binary(max_size=400), st.integers(0, 400), exif_blocks())
def test_damaged_exif_gives_facts_that_every_stage_can_use(noise: bytes, cut: int, block: bytes) -> None:
    """Bytes of any kind, and blocks that are cut off or overwritten."""
    for data in (_MARK + noise, block[:cut] + noise, block[:cut] + noise + block[cut + len(noise) :]):
        carry([replace(factories.assessment(), photo=replace(factories.photo(), camera=camera_facts(data)))])
        assert all(0 < rating.stars <= 5 for rating in exif_rating(data))


@unhurried
@given(st.lists(assessments(), max_size=6))
def test_any_photos_go_through_grouping_policy_and_report(assessed: list[Assessment]) -> None:
    """Times and settings of any value, and scores that are no probabilities."""
    carry(assessed)


@unhurried
@given(cameras())
def test_camera_facts_are_read_back_from_the_journal(camera: Camera) -> None:
    """And its moments can be written and calculated with."""
    primary = replace(factories.assessment(), photo=replace(factories.photo(), camera=camera))

    assert facts_in(parsed(to_json(Stack(primary))))[1] == camera
    assert camera.exposure.light_value is None or math.isfinite(camera.exposure.light_value)
    if camera.taken_at is not None:
        assert moment_of(to_micros(camera.taken_at + timedelta(days=365))) == camera.taken_at + timedelta(days=365)


@unhurried
@given(_ANY_JSON | st.fixed_dictionaries({}, optional={
    "format": _ANY_JSON, "camera": _ANY_JSON | st.fixed_dictionaries({}, optional={
        "model": _ANY_JSON, "taken_at": _ANY_JSON | _MOMENTS.map(datetime.isoformat), "exposure": _ANY_JSON,
        "unheard_of": _ANY_JSON}),
    "likeness": _ANY_JSON | st.lists(st.text(max_size=3), max_size=3), "sidecars": _ANY_JSON, "kin": _ANY_JSON,
    "partners": _ANY_JSON, "series": _ANY_JSON | st.fixed_dictionaries({"kind": _ANY_JSON, "members": _ANY_JSON}),
    "edits": _ANY_JSON, "care": _ANY_JSON | st.fixed_dictionaries({"rated": _ANY_JSON}),
}))  # fmt: skip
def test_any_row_of_the_journal_gives_facts_that_every_stage_can_use(known: object) -> None:
    """An older culld wrote down what it found, and a disk may damage the rest."""
    text = json.dumps(known)
    format_, camera, likeness, _subject = facts_in(parsed(text))
    primary = replace(
        factories.assessment(), photo=replace(factories.photo(format_=format_), camera=camera), dhash=likeness
    )

    carry([primary])
    read_back(text, primary)


def test_a_date_that_an_older_culld_wrote_down_is_not_known() -> None:
    """The rest of its facts is; a row that is no JSON has none."""
    text = '{"format":"jpeg","camera":{"model":"X","taken_at":"0001-01-01T00:00:00+00:00","exposure":{"time_s":-1}}}'

    assert facts_in(parsed(text)) == (Format.JPEG, Camera("X"), None, None)
    assert facts_in(parsed("{")) == (Format.UNKNOWN, Camera(), None, None)


@unhurried
@given(st.tuples(*[st.none() | st.floats()] * 3))
def test_any_scores_of_the_journal_can_be_decided_about(row: tuple[float | None, float | None, float | None]) -> None:
    """SQLite keeps NaN as NULL."""
    scores = scores_of(*row)

    assert (scores is None) == (row == (None, None, None))
    if scores is not None:
        carry([replace(factories.assessment(), result=scores)])
        assert str(scores)


@unhurried
@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_any_moment_of_the_journal_is_a_moment(value: int) -> None:
    """Beyond the calendar it is the first or the last one."""
    assert moment_of(value).utcoffset() == timedelta(0)


def _record() -> dict[str, Any]:
    member = {"name": "a.jpg", "origin": "a.jpg", "sha256": "0" * 64}
    return {
        "culld": 1, "plan": "p", "quarantined_at": "2026-05-01T12:00:00+00:00", "root": "/photos", "members": [member],
        "judged_sha256": "0" * 64, "reason": "r", "keywords": [], "model": "m", "policy": "p", "scores": None,
    }  # fmt: skip


@unhurried
@given(st.sampled_from(sorted(_record())), _ANY_JSON)
def test_any_quarantine_record_is_read_or_refused(key: str, value: object) -> None:
    """One that is read can be written again."""
    try:
        record = from_bytes(json.dumps(_record() | {key: value}).encode())
    except BadRecordError:
        return
    assert from_bytes(to_bytes(record)) == record


@unhurried
@given(st.binary(max_size=200) | _ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_quarantine_record_or_refused(data: bytes) -> None:
    """Nothing but BadRecordError comes out."""
    try:
        from_bytes(data)
    except BadRecordError:
        return


_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" {}/></rdf:RDF></x:xmpmeta>'
)


@unhurried
@given(st.lists(st.binary(max_size=200), max_size=3), st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_sidecar_gives_user_metadata_or_is_refused(packets: list[bytes], rating: str) -> None:
    """A rating of any text, and packets of any bytes."""
    quoted = rating.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    try:
        user_metadata_in([*packets, _XMP.format(f'xmp:Rating="{quoted}"').encode()])
    except PhotoError:
        return


@pytest.mark.parametrize(
    "fields",
    [
        {"time_s": 0.0}, {"time_s": -1.0}, {"time_s": math.nan}, {"aperture": math.inf}, {"iso": 0},
        {"bias_ev": 51.0},
    ],
)  # fmt: skip
def test_an_impossible_exposure_is_no_record(fields: dict[str, Any]) -> None:
    """Nothing behind the border needs to check again."""
    with pytest.raises(ValueError, match="must lie between"):
        Exposure(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"taken_at": datetime(2024, 1, 1)}, {"taken_at": datetime(1, 1, 1, tzinfo=UTC)}, {"orientation": 9},  # noqa: DTZ001
        {"focal_mm": math.inf}, {"model": "X" * 201},
    ],
)  # fmt: skip
def test_an_impossible_camera_is_no_record(fields: dict[str, Any]) -> None:
    """A moment without a time zone cannot be compared with others."""
    with pytest.raises(ValueError):  # noqa: PT011 (each field has its own words)
        Camera(**fields)
