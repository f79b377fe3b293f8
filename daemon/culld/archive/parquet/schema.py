"""The columns of the rows; docs/archive.md explains each of them, which a test compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION: Final = 2
"""The version of the columns and of the folder; another one is refused."""
SCHEMA_KEY: Final = b"culld_archive_schema"
"""The key of the version in the metadata of each file."""
HASH_BYTES: Final = 64
"""The bytes of a difference hash: 32 of `DHash.rows`, then 32 of `DHash.columns`, both big-endian."""


def row_schema() -> pa.Schema:
    """Return the schema of the rows, with the version as metadata of the file."""
    import pyarrow as pa

    names = pa.list_(pa.string())
    columns = {
        "path": pa.string(),
        "path_bytes": pa.binary(),
        "scan": pa.int32(),
        "status": pa.string(),
        "error": pa.string(),
        "size": pa.int64(),
        "mtime_ns": pa.int64(),
        "digest": pa.binary(32),
        "format": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "orientation": pa.int8(),
        "camera": pa.string(),
        "taken_at": pa.timestamp("us", tz="UTC"),
        "hour": pa.int8(),
        "exposure_s": pa.float64(),
        "aperture": pa.float64(),
        "iso": pa.int32(),
        "bias_ev": pa.float64(),
        "focal_mm": pa.float64(),
        "auto_bracket": pa.bool_(),
        "blur": pa.float64(),
        "under": pa.float64(),
        "over": pa.float64(),
        "focus": pa.float64(),
        "sharpness": pa.float64(),
        "sharp_share": pa.float64(),
        "brightness": pa.float64(),
        "faces": pa.int16(),
        "face_blur": pa.float64(),
        "face_light": pa.float64(),
        "dhash": pa.binary(HASH_BYTES),
        "missing_part": pa.string(),
        "sidecars": names,
        "siblings": names,
        "blocking": names,
        "marked": pa.bool_(),
        "facts": pa.string(),
        "model": pa.string(),
    }
    return pa.schema(list(columns.items()), metadata={SCHEMA_KEY: str(SCHEMA_VERSION)})


def plan_schema() -> pa.Schema:
    """Return the schema of a plan: the files of one scan that get a row, with the shard of each.

    The shard of a photo that was deleted is `DELETED_SHARD`. Paths are bytes, since a file name need not be UTF-8.
    """
    import pyarrow as pa

    columns = [("shard", pa.int32()), ("root", pa.binary()), ("relative", pa.binary())]
    return pa.schema(columns, metadata={SCHEMA_KEY: str(SCHEMA_VERSION)})


DELETED_SHARD: Final = -1
