"""S3 and Google Cloud Storage by pyarrow, with the credentials that its libraries find; nothing here writes to them."""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from culld.archive.objects.errors import ObjectError, ObjectGoneError, TooLargeError, TransientError, explained
from culld.archive.objects.store import SECOND_NS, USUAL_WAITS, Kind, PatientStore, StoredObject, Waits
from culld.archive.objects.uri import ObjectUri, uri_of
from culld.errors import SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from culld.archive.objects.store import ObjectStore

_GOOGLE_RETRY_S: Final = 1.0
"""The library of Google tries again by itself for so long after an error; its own time is 15 minutes."""
_CHUNK: Final = 64 << 20
"""Bytes of one request: a photo of the usual size is one answer, and so one version of the object."""


@dataclass(frozen=True, slots=True)
class ArrowStore:
    """The bucket of the URI `name` by a file system of pyarrow.

    `deep`: its listing of a folder does not name the folders in it. `chunk` is the number of bytes of one request.
    """

    files: Any
    name: str
    deep: bool = False
    chunk: int = _CHUNK

    def kind(self, path: str) -> Kind:
        """Return what is at a path; a listing is asked where the answer about one object does not say why it fails."""
        from pyarrow.fs import FileType

        type_ = FileType.NotFound
        try:
            with self._explained():
                type_ = self.files.get_file_info(path).type
        except TransientError:
            raise
        except ObjectError:
            pass
        if type_ == FileType.NotFound:
            with contextlib.suppress(ObjectGoneError):
                return Kind.PREFIX if any(self.below(path)) else Kind.NOTHING
            return Kind.NOTHING
        return Kind.OBJECT if type_ == FileType.File else Kind.PREFIX

    def inside(self, path: str) -> list[StoredObject]:
        """Return the objects in a folder."""
        return self._listed(path, recursive=False)[0]

    def below(self, path: str) -> tuple[list[StoredObject], list[str]]:
        """Return the objects in a folder and its folders; of Google all objects below it, in one listing."""
        return self._listed(path, recursive=self.deep)

    def _listed(self, path: str, *, recursive: bool) -> tuple[list[StoredObject], list[str]]:
        from pyarrow.fs import FileSelector, FileType

        with self._explained():
            found = self.files.get_file_info(FileSelector(path, recursive=recursive))
        objects = [
            StoredObject.of(each.path, each.size, each.mtime_ns // SECOND_NS)
            for each in found
            if each.type == FileType.File
        ]
        folders = {each.path for each in found if each.type == FileType.Directory}
        return objects, [] if recursive else sorted(folders)

    def fetch(self, path: str, to: Path, most: int) -> StoredObject:
        """Write an object to a new file; one of several requests is asked for again, since it may have changed."""
        try:
            return self._fetched(path, to, most)
        except (ObjectGoneError, TransientError, TooLargeError):
            raise
        except ObjectError:
            self._require_storage(path)
            raise

    def _require_storage(self, path: str) -> None:
        """Raise StorageError if the bucket, and not an object, refuses; only a listing is answered with the reason.

        pyarrow asks for an object by HEAD first, whose answer has no text. Mostly there is no key below an object.
        """
        with contextlib.suppress(ObjectError):
            self.inside(path)

    def _fetched(self, path: str, to: Path, most: int) -> StoredObject:
        with self._explained():
            stream = self.files.open_input_stream(path) if self.deep else self.files.open_input_file(path)
        with stream:
            with self._explained():
                found = _described(path, stream.metadata())
            if found.stamp.size > most:
                raise TooLargeError(f"larger than {most} bytes", found.stamp)
            requests = self._copy(stream, to, found.stamp.size)
        if requests > 1 and self._now(path) != found:
            to.unlink()
            raise TransientError("it changed while it was downloaded")
        return found

    def _copy(self, stream: Any, to: Path, size: int) -> int:
        """Write a stream to a file, and return the number of requests; raises SystemFaultError if the disk is full."""
        done = requests = 0
        with _written(to) as write:
            while done < size:
                with self._explained():
                    data = stream.read(min(self.chunk, size - done))
                if not data:
                    raise TransientError(f"the download ended after {done} of {size} bytes")
                write(data)
                done, requests = done + len(data), requests + 1
        return requests

    def _now(self, path: str) -> StoredObject:
        with self._explained():
            found = self.files.get_file_info(path)
            return StoredObject.of(path, found.size or 0, (found.mtime_ns or 0) // SECOND_NS)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        from pyarrow.lib import ArrowException

        try:
            yield
        except (OSError, ArrowException) as error:
            raise explained(error, self.name) from error


@contextlib.contextmanager
def _written(to: Path) -> Iterator[Callable[[bytes], int]]:
    """Open a new file; after an exception it is removed, so that it can be written again."""
    try:
        with to.open("xb") as copy:
            yield copy.write
    except OSError as error:
        to.unlink(missing_ok=True)
        folder = display_path(to.parents[3])
        raise SystemFaultError(
            f"no temporary copy can be written below {folder}: {error.strerror}; set TMPDIR"
        ) from error
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def _described(path: str, metadata: dict[str, bytes]) -> StoredObject:
    """Return an object by the answer that holds it: `Content-Length` and `Last-Modified` of S3, or those of Google."""
    size, changed = (
        metadata.get(s3) or metadata[gs] for s3, gs in (("Content-Length", "size"), ("Last-Modified", "updated"))
    )
    moment = datetime.fromisoformat(changed.decode())
    return StoredObject.of(path, int(size), int(moment.timestamp()))


@dataclass(slots=True)
class Stores:
    """The storages of a process, each opened once."""

    open_: Callable[[ObjectUri], ObjectStore] = field(default_factory=lambda: open_store)
    _opened: dict[Path, ObjectStore] = field(default_factory=dict)

    def of(self, path: Path) -> ObjectStore:
        """Return the storage of a path that stands for an object; raises StorageError."""
        uri = uri_of(path)
        if uri.root not in self._opened:
            self._opened[uri.root] = self.open_(uri)
        return self._opened[uri.root]


def open_store(uri: ObjectUri, waits: Waits = USUAL_WAITS) -> ObjectStore:
    """Return the storage of a URI, with the credentials that the SDK finds; raises StorageError."""
    return PatientStore(_google(uri) if uri.scheme == "gs" else _amazon(uri, waits), waits.pauses_s)


def _google(uri: ObjectUri) -> ArrowStore:
    from pyarrow.fs import GcsFileSystem

    files = GcsFileSystem(anonymous=uri.anonymous, retry_time_limit=timedelta(seconds=_GOOGLE_RETRY_S))
    return ArrowStore(files, uri.bucket_uri, deep=True)


def _amazon(uri: ObjectUri, waits: Waits) -> ArrowStore:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
    return ArrowStore(_s3_client(uri.anonymous, endpoint, _region(uri, endpoint), waits), uri.bucket_uri)


@functools.cache
def _s3_client(anonymous: bool, endpoint: str | None, region: str | None, waits: Waits) -> Any:  # noqa: FBT001
    """Return a client for all buckets of a region: pyarrow makes a new one only when no request is under way.

    The endpoint is passed on because pyarrow does not know AWS_ENDPOINT_URL.
    """
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    return S3FileSystem(
        anonymous=anonymous,
        endpoint_override=endpoint,
        region=region,
        connect_timeout=waits.connect_s,
        request_timeout=waits.silent_s,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=1),  # `PatientStore` tries again
    )


def _region(uri: ObjectUri, endpoint: str | None) -> str | None:
    """Return the region of the environment, else that of the bucket; None for another server than Amazon's."""
    from pyarrow.fs import resolve_s3_region

    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if named or endpoint:
        return named
    try:
        return str(resolve_s3_region(uri.bucket))
    except OSError as error:
        raise explained(error, uri.bucket_uri) from error
