"""URIs of objects, such as `s3://bucket/2019/a.jpg`, and their form as a path between the driver and the actors.

As a path an object is `s3:/bucket/2019/a.jpg`, which no absolute path of a file can be. Rows hold the URI.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from culld.errors import ConfigError
from culld.records import RootedPath, display_path

SCHEMES: Final = ("s3", "gs")
ANONYMOUS: Final = "anonymous"
"""`s3://anonymous@bucket` is read without credentials; pyarrow has the same form."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
"""Three to 63 characters in S3, up to 222 with dots in Google Cloud Storage, by their documentation."""
_ROOTS: Final = frozenset(f"{scheme}:" for scheme in SCHEMES)


@dataclass(frozen=True, slots=True)
class ObjectUri:
    """An object, or all objects below a prefix; the key is empty for a bucket, and has no `/` at its ends."""

    scheme: str
    bucket: str
    key: str = ""
    anonymous: bool = False

    def __str__(self) -> str:
        """Return the URI."""
        return f"{self.bucket_uri}/{self.key}" if self.key else self.bucket_uri

    @property
    def bucket_uri(self) -> str:
        """The URI of the bucket."""
        return f"{self.scheme}://{ANONYMOUS + '@' if self.anonymous else ''}{self.bucket}"

    @property
    def path(self) -> str:
        """Bucket and key, as pyarrow names an object."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    @property
    def root(self) -> Path:
        """The bucket in the form of a path."""
        return Path(self.bucket_uri)

    def place(self, path: str) -> RootedPath:
        """Return the place of `bucket/key` in the same storage."""
        return RootedPath(self.root, Path(path.removeprefix(self.bucket).lstrip("/")))


def scheme_of(text: str) -> str:
    """Return the scheme of a URI in lower case; empty for a path."""
    found = _SCHEME.match(text)
    return found[1].lower() if found else ""


def object_uri(text: str) -> ObjectUri:
    """Return the parts of a URI of object storage.

    Raises ConfigError for another scheme, a missing bucket, a key that cannot be a path, and credentials, which are not
    repeated.
    """
    scheme = scheme_of(text)
    if scheme not in SCHEMES:
        raise ConfigError((f"{text}: {scheme}:// is not supported; name folders, s3:// or gs://",))
    bucket, _, key = text[len(scheme) + 3 :].partition("/")
    user, at, bucket = bucket.rpartition("@")
    if at and user != ANONYMOUS:
        raise ConfigError((f"{scheme}://...@{bucket}: a URI must not hold credentials; set them in the environment",))
    if not _BUCKET.fullmatch(bucket):
        raise ConfigError((f"{text}: names no bucket; write {scheme}://bucket/prefix",))
    key = key.rstrip("/")
    if not is_plain(key):
        raise ConfigError((f"{text}: a key with empty parts, `.` or `..` is not supported",))
    return ObjectUri(scheme, bucket, key, bool(at))


def is_plain(key: str) -> bool:
    """Whether a key can be written as a path, and is found again by it."""
    return not key or ("\0" not in key and not {"", ".", ".."} & set(key.split("/")))


def is_object(path: Path) -> bool:
    """Whether a path stands for an object."""
    return not path.is_absolute() and path.parts[:1] != () and path.parts[0] in _ROOTS


def uri_of(path: Path) -> ObjectUri:
    """Return the URI of a path that stands for an object."""
    scheme, bucket, *key = path.parts
    user, _, bucket = bucket.rpartition("@")
    return ObjectUri(scheme.removesuffix(":"), bucket, "/".join(key), bool(user))


def stored_bytes(path: Path) -> bytes:
    """Return the bytes by which plans and rows know a photo: those of its path, or of its URI without user."""
    if not is_object(path):
        return os.fsencode(path)
    uri = uri_of(path)
    return os.fsencode(str(ObjectUri(uri.scheme, uri.bucket, uri.key)))


def stored_place(stored: bytes) -> RootedPath:
    """Return the place that `stored_bytes` names."""
    text = os.fsdecode(stored)
    if scheme_of(text) in SCHEMES:
        uri = object_uri(text)
        return uri.place(uri.path)
    return RootedPath(Path("/"), Path(text[1:]))


def shown(path: Path) -> str:
    """Return a path, or the URI of an object, as text that is safe to print."""
    text = display_path(path)
    return text if not is_object(path) else text.replace(":/", "://", 1).replace(f"://{ANONYMOUS}@", "://", 1)
