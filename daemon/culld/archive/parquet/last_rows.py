"""Which rows of an archive hold now, found by digests of the paths, so that memory does not hold the paths."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.parquet.schema import row_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    """Keys of paths: (count, 2). Two paths with one key are as good as impossible: 1e-24 for 10,000,000 photos."""

_KEY_BYTES: Final = 16


def keys_of(paths: Iterable[bytes]) -> Keys:
    """Return a key of 128 bits for each path."""
    joined = b"".join(hashlib.blake2b(path, digest_size=_KEY_BYTES).digest() for path in paths)
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)


def paths_in(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Yield the bytes of the path of each row; the batch has the columns `path` and `path_bytes`."""
    return iter(key_of(batch).to_pylist())


def key_of(table: pa.Table | pa.RecordBatch) -> pa.Array | pa.ChunkedArray:
    """Return the bytes of the path of each row; the table has the columns `path` and `path_bytes`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.coalesce(table["path_bytes"], table["path"].cast(pa.binary()))


def batches_of(files: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield an empty batch, then the columns of all rows in the order of the files; a few batches are in memory."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = pa.schema([row_schema().field(name) for name in columns])
    yield pa.RecordBatch.from_pylist([], schema=schema)
    if files:
        found = ds.dataset([str(each) for each in files], schema=schema, format="parquet")
        yield from found.to_batches(batch_readahead=2, fragment_readahead=2)


def last_of_each(keys: Keys, scans: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which rows are the last of their path: those of its highest scan."""
    order = np.lexsort((scans, keys[:, 0], keys[:, 1]))
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    result = np.empty(len(order), np.bool_)
    result[order] = is_last
    return result
