"""HLG, PQ and log profiles are recognised, and nothing else is taken for one."""

from __future__ import annotations

import io

import pytest

from culld.imaging.clip_transfer import transfer_of
from culld.records.clips import Transfer

XML = b'<AcquisitionRecord><Item name="CaptureGammaEquation" value="s-log3-cine"/></AcquisitionRecord>'


@pytest.mark.parametrize(
    ("code", "transfer"),
    [
        (1, Transfer.SDR),
        (2, Transfer.SDR),
        (9, Transfer.LOG),
        (13, Transfer.SDR),
        (16, Transfer.PQ),
        (18, Transfer.HLG),
    ],
)
def test_the_code_of_the_stream_decides(code: int, transfer: Transfer) -> None:
    """The codes are those of ITU-T H.273."""
    assert transfer_of(code, [], io.BytesIO()) is transfer


@pytest.mark.parametrize(
    "name", ["S-Log3", "slog2", "C-Log", "Canon Log 3", "V-Log", "V-Log L", "D-Log M", "Apple Log"]
)
def test_a_log_profile_is_known_by_its_name(name: str) -> None:
    """As the value of a key about the picture profile."""
    assert transfer_of(1, [{"com.vendor.gamma": name}], io.BytesIO()) is Transfer.LOG


@pytest.mark.parametrize(
    ("key", "value"),
    [("title", "V-Log"), ("comment", "my vlog 3"), ("com.vendor.gamma", "Rec709"), ("picture profile", "Catalog 2")],
)
def test_a_title_is_no_log_profile(key: str, value: str) -> None:
    """Video blogs are called vlogs."""
    assert transfer_of(1, [{key: value}], io.BytesIO()) is Transfer.SDR


def test_the_xml_of_a_camera_is_searched_at_both_ends() -> None:
    """Sony's cameras write it before the frames or behind them."""
    for data in (XML + bytes(400_000), bytes(400_000) + XML):
        assert transfer_of(1, [], io.BytesIO(data)) is Transfer.LOG
    assert transfer_of(1, [], io.BytesIO(XML.replace(b"s-log3-cine", b"rec709"))) is Transfer.SDR
    assert transfer_of(1, [], io.BytesIO(XML.replace(b"s-log3-cine", b"rec2100-hlg"))) is Transfer.HLG
