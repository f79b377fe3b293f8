"""The secrets of the web process, only as hashes: login codes, sessions, tokens, and the password.

Each one is a file in the folder `web` of the state folder, which only the user of the web process may read; its name is
the SHA-256 of the secret. A secret has 128 random bits at least, so that a plain hash of it cannot be reversed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from culld.errors import SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    from pathlib import Path

CODE_LIFE_S: Final = 60
"""For how long a login code is valid."""
SESSION_LIFE_S: Final = 30 * 86_400
"""For how long a session is valid."""
LEAST_PASSWORD: Final = 12
"""The least number of characters of a password."""

_SCRYPT: Final = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20}  # 32 MiB and 0.1 s for each guess


class Scope(StrEnum):
    """What a caller may do: look, or also leave wishes."""

    READ = "read"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class SecretStore:
    """The files of the secrets below `folder`, which is created with mode 0700."""

    folder: Path

    def prepare(self) -> None:
        """Create the folders; raises SystemFaultError if that fails."""
        try:
            for kind in ("", "codes", "sessions", "tokens"):
                (self.folder / kind).mkdir(0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise SystemFaultError(
                f"{display_path(self.folder)} cannot be made ({error.strerror}); "
                "run `culld web` as a user who may write there"
            ) from error

    def new_code(self) -> str:
        """Store a new login code and return it; it is valid for `CODE_LIFE_S` and for one use."""
        return self._add("codes", {})

    def use_code(self, code: str) -> bool:
        """Return whether a login code is valid; it is not afterwards."""
        file = self._file("codes", code)
        found = _read(file)
        try:
            file.unlink()  # only one of several calls at the same time removes it
        except OSError:
            return False
        return found is not None and _is_young(found, CODE_LIFE_S)

    def new_session(self) -> str:
        """Store a new session and return its secret."""
        self._sweep("sessions", SESSION_LIFE_S)
        self._sweep("codes", CODE_LIFE_S)
        return self._add("sessions", {})

    def is_session(self, secret: str) -> bool:
        """Return whether a session is valid."""
        found = _read(self._file("sessions", secret))
        return found is not None and _is_young(found, SESSION_LIFE_S)

    def end_session(self, secret: str) -> None:
        """Remove a session."""
        with contextlib.suppress(FileNotFoundError):
            self._file("sessions", secret).unlink()

    def new_token(self, name: str, scope: Scope) -> str:
        """Store a new token for programs, in place of one with the same name, and return it."""
        self.remove_token(name)
        return self._add("tokens", {"name": name, "scope": scope.value})

    def remove_token(self, name: str) -> bool:
        """Remove the token with a name; return whether there was one."""
        found = [file for file in (self.folder / "tokens").glob("*") if (_read(file) or {}).get("name") == name]
        for file in found:
            file.unlink(missing_ok=True)
        return bool(found)

    def token_scope(self, token: str) -> Scope | None:
        """Return what a token allows; None if it is not valid."""
        found = _read(self._file("tokens", token)) or {}
        return Scope(found["scope"]) if found.get("scope") in set(Scope) else None

    def set_password(self, password: str) -> None:
        """Store the hash of a password."""
        salt = secrets.token_bytes(16)
        _write(self.folder / "password", {"salt": salt.hex(), "hash": _scrypt(password, salt).hex()})

    @property
    def has_password(self) -> bool:
        """Whether a password is set."""
        return _read(self.folder / "password") is not None

    def is_password(self, password: str) -> bool:
        """Return whether this is the password; it takes 0.1 s of a core."""
        found = _read(self.folder / "password")
        if found is None:
            return False
        return hmac.compare_digest(_scrypt(password, bytes.fromhex(found["salt"])), bytes.fromhex(found["hash"]))

    def _add(self, kind: str, content: dict[str, Any]) -> str:
        secret = secrets.token_urlsafe(24)
        _write(self._file(kind, secret), content | {"made_at": time.time()})
        return secret

    def _file(self, kind: str, secret: str) -> Path:
        return self.folder / kind / hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

    def _sweep(self, kind: str, life_s: float) -> None:
        for file in (self.folder / kind).glob("*"):
            found = _read(file)
            if found is None or not _is_young(found, life_s):
                file.unlink(missing_ok=True)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, dklen=32, **_SCRYPT)


def _is_young(content: dict[str, Any], life_s: float) -> bool:
    made_at = content.get("made_at")
    return isinstance(made_at, int | float) and 0 <= time.time() - made_at <= life_s


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(file: Path, content: dict[str, Any]) -> None:
    """Write a file that only this user may read, in place of an older one."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(json.dumps(content).encode())
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(file)
    except OSError as error:
        raise SystemFaultError(f"{display_path(file.parent)} cannot be written: {error.strerror}") from error
