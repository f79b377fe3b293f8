"""The errors of object storage: what pyarrow raises, by its text, as a clause for the user.

pyarrow raises OSError with a text of the libraries of Amazon and Google, such as `AWS Error SLOW_DOWN during
ListObjectsV2 operation: ...`; there is no number. The text of the server itself is not repeated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from culld.archive.objects.uri import scheme_of
from culld.errors import PhotoError, SystemFaultError

if TYPE_CHECKING:
    from culld.records import FileStat


class ObjectError(PhotoError):
    """An object or a prefix cannot be read; the others can."""


class ObjectGoneError(ObjectError):
    """There is no such object, or no object below a prefix."""


class TransientError(ObjectError):
    """The network or the storage failed; another try may succeed."""


class TooLargeError(ObjectError):
    """An object is larger than allowed; `stamp` holds its size."""

    def __init__(self, reason: str, stamp: FileStat) -> None:
        """Keep both."""
        super().__init__(reason)
        self.stamp = stamp


class StorageError(SystemFaultError):
    """No object of a bucket can be read: it is not there, or the credentials are refused."""

    def __init__(self, clause: str, bucket: str) -> None:
        """Keep both; pickling preserves them."""
        super().__init__(clause, bucket)
        self.clause = clause
        self.bucket = bucket

    def __str__(self) -> str:
        """Return the message for the user."""
        return f"{self.bucket}: {self.clause}"


_AWS: Final = re.compile(
    r"AWS Error (\S+|\[code \d+\])(?: \(HTTP status (\d+)\))? during \w+ operation: (.*)", re.DOTALL
)
_NAME: Final = re.compile(r"Unable to parse ExceptionName: (\w+)")
_CURL: Final = re.compile(r"curlCode: \d+, ([^;]*)|CURL error \[\d+\]=(.*?)(?: error_info|$)")
_GOOGLE: Final = re.compile(r"google::cloud::Status\(([A-Z_]+)")

_REGION: Final = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_REFUSED: Final = {
    "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "INVALID_SIGNATURE", "INVALID_CLIENT_TOKEN_ID",
    "UNRECOGNIZED_CLIENT", "MISSING_AUTHENTICATION_TOKEN", "ExpiredToken", "InvalidToken", "UNAUTHENTICATED",
}  # fmt: skip
_CLOCK: Final = {"REQUEST_TIME_TOO_SKEWED", "REQUEST_EXPIRED"}
_BUSY: Final = {
    "SLOW_DOWN", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "THROTTLING", "REQUEST_TIMEOUT", "TooManyRequests", "429",
    "UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED",
}  # fmt: skip
_GONE: Final = {"NO_SUCH_KEY", "RESOURCE_NOT_FOUND", "NOT_FOUND", "404"}
_DENIED: Final = {"ACCESS_DENIED", "PERMISSION_DENIED", "403"}
_ARCHIVED: Final = {"[code 136]", "InvalidObjectState"}
"""InvalidObjectState: the object is in a class of Glacier, and must be restored first (Amazon S3, error responses)."""

CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}


def explained(error: OSError, bucket: str) -> ObjectError | StorageError:
    """Return an error of pyarrow as one of these, with a clause that says what to do; `bucket` is its URI."""
    code, text, scheme = _code_of(error), str(error), scheme_of(bucket)
    if clause := _of_bucket(code, text, scheme):
        return StorageError(clause, bucket)
    if isinstance(error, FileNotFoundError) or code in _GONE or text.startswith("No such file"):
        return ObjectGoneError("it is not there")
    if code in _DENIED:
        return ObjectError(
            f"access is denied; set {CREDENTIALS[scheme]} of a user who may read and list it, or write"
            f" {scheme}://anonymous@ for a public bucket"
        )
    if code in _ARCHIVED:
        return ObjectError("it is in an archive of the storage; restore it there first")
    return _of_network(code, text)


def _of_bucket(code: str, text: str, scheme: str) -> str:
    """Return, as a clause, why nothing in a bucket can be read; empty if the error is not about all of it."""
    if code == "NO_SUCH_BUCKET" or "Bucket '" in text or (code == "NOT_FOUND" and "ListObjects" in text):
        return "there is no such bucket"
    if "OAuth2 access token" in text:
        return f"there are no usable credentials; set {CREDENTIALS[scheme]}"
    if code in _REGION:
        return "the bucket is in another region; set AWS_REGION to it"
    if code in _REFUSED:
        return f"the credentials are refused ({code}); check {CREDENTIALS[scheme]}"
    if code in _CLOCK:
        return "the credentials are refused, because the clock of this machine is wrong"
    return ""


def _of_network(code: str, text: str) -> ObjectError:
    found = _CURL.search(text)
    if found or code == "NETWORK_CONNECTION":
        why = (found[1] or found[2]) if found else "the connection failed"
        return TransientError(f"the storage cannot be reached: {why}")
    if code in _BUSY or (code.isdigit() and int(code) >= 500):
        return TransientError(f"the storage answered with an error ({code})")
    return ObjectError(f"the storage refused it ({code or 'unknown error'})")


def _code_of(error: OSError) -> str:
    """Return the name of an error, or its HTTP status; empty if the text has neither."""
    text = str(error)
    if google := _GOOGLE.search(text):
        return google[1]
    found = _AWS.search(text)
    if found is None:
        return ""
    name = _NAME.match(found[3])
    if name is not None:
        return name[1]
    return found[2] if found[1] == "UNKNOWN" and found[2] else found[1]
