"""The errors: faults of one photo, and faults of the system that affect every photo.

The pipeline catches a PhotoError, so that one bad file affects one photo; the service handles the other errors. The
text of every error is for the user, and names what to do.
"""


class CulldError(Exception):
    """The base class of every error that culld raises on purpose."""


class PhotoError(CulldError):
    """One photo cannot be processed; the others can."""


class PhotoChangedError(PhotoError):
    """The file was changed, moved or removed since it was read."""


class PhotoBlockedError(PhotoError):
    """The system refuses access to this photo for now (permission, name taken, no space); it is tried again."""


class TagRefusedError(PhotoError):
    """Tags cannot be written into `target` without risk; `reason` is a clause (a sentence where there is no target)."""

    def __init__(self, reason: str, target: str = "") -> None:
        """Keep target and reason as fields for callers."""
        super().__init__(reason, target)
        self.reason = reason
        self.target = target

    def __str__(self) -> str:
        """Return the message for the user."""
        return f"{self.target} was left alone: {self.reason}" if self.target else self.reason


class PhotoDeferredError(PhotoError):
    """The decision about a photo is postponed, because files that it depends on may still arrive."""


class WorkerLostError(PhotoError):
    """The worker that processed this photo crashed, ran out of memory or had to be killed."""


class InternalError(PhotoError):
    """An internal error of culld while it processed one photo; `where` is the line of code, `trace` the traceback."""

    def __init__(self, reason: str, where: str = "", trace: str = "") -> None:
        """Keep all three; pickling preserves them."""
        super().__init__(reason)
        self.where = where
        self.trace = trace


class BadWishError(CulldError):
    """The file of a wish, or a wish, is not in the form that culld takes; the text is one sentence."""


class StoppedError(CulldError):
    """A stop was requested while photos were being read; nothing had been changed yet."""


class SystemFaultError(CulldError):
    """The journal, the disk, the model or the worker pool, which every photo needs, does not work."""


class NotRunYetError(SystemFaultError):
    """There is no journal, since culld has not run yet with this configuration."""


class ConfigError(CulldError):
    """The configuration cannot be used; `problems` lists all of its problems."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep every problem, one line each, in the form `file:line: key: problem`."""
        super().__init__("\n".join(problems))
        self.problems = problems
