"""A library for the review page: photos in a folder and a journal that decided about them, and a client of the page."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from culld.clock import SystemClock
from culld.config import load_config
from culld.errors import PhotoError
from culld.journal.file_state import FileState, save
from culld.journal.row_mapping import INSERT_DECISION, decision_row
from culld.journal.store import SqliteJournal
from culld.records import (
    Assessment,
    Camera,
    FileStat,
    Format,
    Photo,
    PlanState,
    RecordedDecision,
    RootedPath,
    Scores,
    Stack,
    Unreadable,
    Verdict,
)
from culld.web.application import application
from culld.web.guard import Guard
from culld.web.heat import HeatMaker
from culld.web.hosts import AllowedHosts
from culld.web.picture_requests import PictureRequest
from culld.web.pictures import PictureWorker
from culld.web.problems import ProblemError
from culld.web.regions import RegionsMaker
from culld.web.secret_store import Scope
from culld.web.site import Site
from harness import factories

with warnings.catch_warnings():  # it prefers httpx2, which the lock does not have
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["API", "BASE", "CONFIG", "Library", "PoolHere", "TestClient"]
CONFIG = "watch: [{path: photos}]\nquarantine: q\nstate: state\npolicy: {mode: enforce}\nweb: {hosts: [nas.local]}\n"
BASE = "http://127.0.0.1:8466"
API = "/api/v1"


class PoolHere:
    """Makes pictures in this process."""

    def __init__(
        self,
        create_heat: Callable[[], HeatMaker] | None = None,
        create_regions: Callable[[], RegionsMaker] | None = None,
    ) -> None:
        """Take what explains photos, and what segments them."""
        self.create_heat = create_heat
        self.worker = PictureWorker(250_000_000, 10**9, create_heat, create_regions)
        self.made = 0

    async def make(self, request: PictureRequest) -> list[bytes]:
        """As `WorkerPool.make`."""
        self.made += 1
        answer = request.handle(self.worker)
        if isinstance(answer, PhotoError):
            raise ProblemError(422, str(answer))
        return answer

    is_busy = False

    async def warm(self) -> None:
        """Nothing to start."""

    async def rest(self) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to end."""


@dataclass
class Library:
    """The folders of a library; photos are numbered as their decisions are."""

    folder: Path
    count: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Create the folders and an empty journal."""
        for name in ("photos", "q", "state", "cache", "home"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "c.yaml").write_text(CONFIG)
        self.environ = {"HOME": str(self.folder / "home")}
        with self.journal():
            pass

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    def journal(self) -> SqliteJournal:
        """The journal, to be closed by the caller."""
        return SqliteJournal.open(self.state / "journal.sqlite3", SystemClock())

    def add(
        self,
        verdict: Verdict = Verdict.QUARANTINE,
        *,
        name: str = "",
        data: bytes | None = None,
        **more: object,
    ) -> int:
        """Add a photo with its file, its decision and its stamp; return its number."""
        self.count += 1
        name = name or f"IMG_{self.count}.jpg"
        data = b"photo" + bytes([self.count % 256]) if data is None else data
        place = RootedPath(self.folder / "photos", Path(name))
        now = RootedPath(self.folder / "q", Path(name)) if verdict is Verdict.QUARANTINE else place
        now.path.parent.mkdir(parents=True, exist_ok=True)
        now.path.write_bytes(data)
        decision = decided(place, now, data, verdict, self.count, **more)
        with self.journal() as journal, journal._writing() as db:
            number = db.execute(INSERT_DECISION, decision_row(decision)).lastrowid
            save(db, now, FileStat.of(os.lstat(now.path)), decision.digest, FileState.DECIDED)
        assert number is not None
        return number

    def execute(self, sql: str, *values: object) -> None:
        """Change the journal."""
        with self.journal() as journal, journal._writing() as db:
            db.execute(sql, values)

    def site(self, pool: object | None = None) -> Site:
        """What stands behind the routes, with pictures made in this process."""
        file = self.folder / "c.yaml"
        site = Site.of(file, load_config(file, self.environ), self.folder / "cache", self.environ)
        site.store.prepare()
        site.pool = pool or PoolHere()  # type: ignore[assignment]
        return site

    def application(self, pool: object | None = None, page: Path | None = None) -> Guard:
        """The application on port 8466."""
        return application(self.site(pool), AllowedHosts.of(8466, ("nas.local",)), page or self.folder / "page")

    @contextmanager
    def client(
        self, *, scope: Scope | None = None, login: bool = True, pool: object | None = None
    ) -> Iterator[TestClient]:
        """A client with a session; with `scope` one with a token instead; without `login` neither."""
        app = self.application(pool)
        with TestClient(app, BASE, raise_server_exceptions=False) as client:
            if scope is not None:
                client.headers["Authorization"] = f"Bearer {app.site.store.new_token('test', scope)}"
            elif login:
                client.cookies.set(app.site.cookie, app.site.store.new_session())
                client.headers["Sec-Fetch-Site"] = "same-origin"
            yield client


def decided(
    place: RootedPath, now: RootedPath, data: bytes, verdict: Verdict, number: int, **more: object
) -> RecordedDecision:
    """A decision as the daemon records it; `more` holds other values, and may hold `scores`."""
    scores = more.pop("scores", None)
    camera = Camera("X100", taken(number))
    photo = Photo(place, factories.stamp(), hashlib.sha256(data).hexdigest(), Format.JPEG, camera)
    usual = {Verdict.QUARANTINE: 0.99, Verdict.TAG: 0.7}.get(verdict, 0.1)
    result = (
        Unreadable("damaged")
        if verdict is Verdict.UNREADABLE
        else scores
        if isinstance(scores, Scores)
        else Scores(usual, 0.0, 0.0)
    )
    rule = {Verdict.QUARANTINE: "policy.defects.blur.reject", Verdict.TAG: "policy.defects.blur.tag"}.get(verdict, "")
    values: dict[str, object] = {
        "plan": f"plan-{number}",
        "made_at": taken(number),
        "stack": Stack(Assessment(photo, result, "defects-3@1", full_size=(960, 720))),
        "verdict": verdict,
        "reason": "because",
        "keywords": (),
        "policy": "policy-1",
        "rule": rule,
        "would_reject": verdict is Verdict.QUARANTINE,
        "state": PlanState.DONE,
        "now": now,
        "now_digest": photo.digest,
    }
    return RecordedDecision(**(values | more))  # type: ignore[arg-type]


def taken(number: int) -> datetime:
    """When a photo was taken: a minute after the one before."""
    return factories.NOON + timedelta(minutes=number)
