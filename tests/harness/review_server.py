"""A stand-in of `culld web` with drawn photos: HTTP API v1 in memory, with a daemon that can be stopped."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import uvicorn
from PIL import Image, ImageFilter
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from culld.app.decision_json import burst_json
from culld.records.review import ReviewState, WishKind
from harness import review_burst
from harness.scenes import Scene, picture

STATIC = Path(__file__).resolve().parents[2] / "daemon/culld/web/static"
STATES = [state.value for state in ReviewState]
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
CODE = "let-me-in"
THRESHOLDS = {
    "blur": {"tag": 0.5, "reject": 0.97},
    "under": {"tag": 0.6, "reject": 0.99},
    "over": {"tag": 0.6, "reject": 0.99},
    "focus": {"tag": 0.7, "reject": None},
}
DEFECTS = tuple(THRESHOLDS)
_LETTERS = {"blur": 0, "over": 2, "under": 1, "focus": 3}
_NEXT = {
    WishKind.RESTORE: {
        "rejected": "restored",
        "confirmed": "restored",
        "tagged": "untagged",
        "tag confirmed": "untagged",
    },
    WishKind.CONFIRM: {"rejected": "confirmed", "tagged": "tag confirmed"},
    WishKind.WITHDRAW: {
        "confirmed": "rejected",
        "tag confirmed": "tagged",
        "restored": "rejected",
        "untagged": "tagged",
    },
    WishKind.REJECT: dict.fromkeys(("kept", "tagged", "tag confirmed", "restored", "untagged", "left"), "rejected"),
}
_NEW_DECISION = {(WishKind.WITHDRAW, "restored"), (WishKind.WITHDRAW, "untagged")}


@dataclass(slots=True)
class Photo:
    """A photo of the stand-in; `id` is the number of its latest decision."""

    id: int
    name: str
    folder: str
    camera: str
    taken: int
    scores: dict[str, float]
    state: str
    reason: str
    scene: Scene
    burst: int = 0
    faces: list[dict[str, Any]] = field(default_factory=list)
    past: set[int] = field(default_factory=set)
    copy: dict[str, Any] | None = None

    def end_copy(self, state: str, reason: str) -> None:
        """End the repaired copy of the photo."""
        name = f"{Path(self.name).stem}.enhanced.jpg" if state == "made" else None
        self.copy = {
            "state": state,
            "reason": reason,
            "repair": "exposure",
            "name": name,
            "digest": f"c{self.scene.seed:04x}{abs(hash(self.scene)) % 10**8}" if name else "",
        }


@dataclass(slots=True)
class Review:
    """The photos, the wishes that came, and the switches of a test."""

    photos: list[Photo]
    running: bool = True
    brake: bool = False
    enhance: str = "never"
    change: int = 1
    logged_in: bool = True
    no_regions: str = ""
    """Why the regions of a photo cannot be found; empty: they are."""
    wishes: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    holds: Callable[[str, int], bool] = lambda _what, _number: False
    """Whether the answer with a picture of a photo, named by its route, has to wait."""

    def wait(self, what: str, number: int) -> None:
        """Wait as long as a picture is held back."""
        while self.holds(what, number) and not _stopping.is_set():
            time.sleep(0.02)

    def photo(self, decision: int) -> Photo | None:
        """Return the photo of a decision, None if there is no such decision."""
        return next((photo for photo in self.photos if photo.id == decision), None)

    def ever(self, decision: int) -> Photo | None:
        """Return the photo of a decision or of an earlier decision."""
        return next((photo for photo in self.photos if decision == photo.id or decision in photo.past), None)

    def carry_out(self) -> None:
        """Carry out the wishes that wait, as the daemon does."""
        for key, wish in self.wishes.items():
            if key not in self.ended:
                self.ended[key] = [self._item(WishKind(wish["kind"]), item) for item in wish["items"]]
                self.change += 1
                if wish["kind"] == "resume":
                    self.brake = False

    def _item(self, kind: WishKind, item: dict[str, Any]) -> dict[str, Any]:
        photo = self.photo(item["decision"])
        if kind is WishKind.ENHANCE and photo is not None:
            photo.end_copy("waiting", "")
            return {"decision": photo.id, "state": "done", "note": "A repaired copy will be made.", "now": photo.id}
        after = None if photo is None or photo.state != item["state"] else _NEXT.get(kind, {}).get(photo.state)
        if photo is None or after is None:
            note = "The photo changed meanwhile." if photo is None else f"The photo is {photo.state} now."
            return {**item, "outcome": "changed", "state": "changed", "note": note, "now": item["decision"]}
        if (kind, photo.state) in _NEW_DECISION or kind is WishKind.REJECT:
            photo.past.add(photo.id)
            photo.id = max(other.id for other in self.photos) + 1
        photo.state = after
        return {"decision": item["decision"], "state": "done", "note": "", "now": photo.id}


def library(count: int = 48, size: tuple[int, int] = (1500, 1000)) -> list[Photo]:
    """Return drawn photos: some good, some spoilt, the first eight of them one burst."""
    return [_photo(number, size) for number in range(count)]


def _photo(number: int, size: tuple[int, int]) -> Photo:
    burst = number < 8
    fault = ("", "blur", "", "over", "blur", "under", "blur", "")[number % 8]
    strength = (0.5, 0.75, 1.0, 1.3)[number * 7 // 3 % 4]
    seed = 11 if burst else number
    scene = Scene(seed, fault, strength, 0.02 * number if burst else 0.0, size)
    rng = np.random.default_rng(number)
    scores = {name: float(rng.uniform(0.001, 0.2)) for name in DEFECTS[:3]}
    if fault:
        scores[fault] = 1 - (0.4 if strength < 0.75 else 0.05 if strength < 1 else 0.006) * float(rng.uniform(0.3, 1))
    over = [name for name in DEFECTS[:3] if scores[name] >= (THRESHOLDS[name]["reject"] or 2)]
    above = [name for name in DEFECTS[:3] if scores[name] >= (THRESHOLDS[name]["tag"] or 2)]
    state = "rejected" if over else "tagged" if above else "kept"
    folder = ("2026-05 Harbour", "2026-06 Uplands", "2026-07 Lakes")[number // 16 % 3]
    taken = 1_778_000_000 + number * 86_400 if not burst else 1_778_000_000 + number
    return Photo(
        id=1000 + number,
        name=f"IMG_{4100 + number}.JPG",
        folder=folder,
        camera=("X-T5", "EOS R6")[number // 8 % 2],
        taken=taken,
        scores=scores,
        state=state,
        reason=_reason(scores, over, above),
        scene=scene,
        burst=7 if burst else 0,
        faces=[{"box": [0.42, 0.5, 0.12, 0.18], "blur": 0.31, "light": 0.5}] if burst else [],
    )


def _reason(scores: dict[str, float], over: list[str], above: list[str]) -> str:
    for names, limit in ((over, "reject"), (above, "tag")):
        for name in names[:1]:
            cut = math.floor(100 * scores[name]) / 100
            return f"{name} {cut:.2f} is at least {THRESHOLDS[name][limit]} (policy.defects.{name}.{limit})"
    return "every probability is below its threshold"


@cache
def _scaled(scene: Scene, longest: int) -> bytes:
    image = _drawn(scene).copy()
    image.thumbnail((longest, longest))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=84)
    return buffer.getvalue()


_drawing = threading.Lock()


def _drawn(scene: Scene) -> Image.Image:
    with _drawing:
        return _drawn_once(scene)


@cache
def _drawn_once(scene: Scene) -> Image.Image:
    return picture(scene)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _column(values: list[int], kind: str) -> str:
    return base64.b64encode(np.array(values, dtype=kind).tobytes()).decode()


def _score_byte(value: float | None) -> int:
    return 255 if value is None else round(254 * value)


class _Api:
    def __init__(self, review: Review) -> None:
        self.review = review

    def routes(self) -> list[Route]:
        """Return the routes of API v1."""
        at = "/api/v1"
        photo = at + "/photos/{id:int}"
        return [
            Route(f"{at}/login", self.login, methods=["POST"]),
            Route(f"{at}/logout", self.login, methods=["POST"]),
            Route(f"{at}/session", self.session),
            Route(f"{at}/index", self.index),
            Route(f"{at}/photos", self.tiles),
            Route(photo, self.why),
            Route(photo + "/heat", self.heat),
            Route(photo + "/regions", self.regions),
            Route(photo + "/crop", self.crop),
            Route(photo + "/{what}", self.image),
            Route(f"{at}/wishes", self.wish, methods=["POST"]),
            Route(f"{at}/wishes/{{id}}", self.progress),
            Route(f"{at}/simulate", self.simulate, methods=["POST"]),
            Route(f"{at}/report", self.report),
            Route(f"{at}/status", self.status),
            Route(f"{at}/events", self.events),
            Route(f"{at}/changes", self.changes),
        ]

    async def login(self, request: Request) -> Response:
        body = await request.json()
        if body.get("code") != CODE:
            return _problem(401, "The code is wrong or too old: run `culld web --open` again.")
        self.review.logged_in = True
        return Response(status_code=204)

    async def session(self, _request: Request) -> Response:
        if not self.review.logged_in:
            return _problem(401, "Log in first.")
        settings = {"mode": "enforce", "policy": "b3449472b52a", "thresholds": THRESHOLDS}
        return JSONResponse({"csrf_free": True, "version": "1.0", "settings": settings})

    def index(self, request: Request) -> Response:
        everything = request.query_params.get("kept") == "1"
        photos = [p for p in self.review.photos if everything or p.state != "kept"]
        photos.sort(key=lambda photo: -photo.taken)
        total = len(photos)
        photos = photos[: int(request.query_params.get("limit", total))]
        folders = sorted({p.folder for p in photos})
        cameras = sorted({p.camera for p in photos})
        tag = f'"{self.review.change}-{everything}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304)
        columns = {
            "id": _column([p.id for p in photos], "<u4"),
            "taken": _column([p.taken for p in photos], "<u4"),
            **{name: _column([_score_byte(p.scores.get(name)) for p in photos], "u1") for name in DEFECTS},
            "verdict": _column([_verdict(p) for p in photos], "u1"),
            "state": _column([STATES.index(p.state) for p in photos], "u1"),
            "folder": _column([folders.index(p.folder) for p in photos], "<u2"),
            "camera": _column([cameras.index(p.camera) for p in photos], "<u2"),
            "burst": _column([p.burst for p in photos], "<u4"),
            "tagged": _column([_bits(p) for p in photos], "u1"),
        }
        answer = {"change": self.review.change, "total": total, "states": STATES, "folders": folders}
        return JSONResponse(answer | {"cameras": cameras, "columns": columns}, headers={"ETag": tag})

    async def tiles(self, request: Request) -> Response:
        ids = [int(text) for text in request.query_params["ids"].split(",")]
        assert len(ids) <= 200
        known = {photo.id: photo for photo in self.review.photos}
        return JSONResponse({"photos": [_tile(known[i]) for i in ids if i in known]})

    async def why(self, request: Request) -> Response:
        photo = self.review.ever(request.path_params["id"])
        if photo is None:
            return _problem(404, "There is no such decision.")
        burst = [other.id for other in self.review.photos if photo.burst and other.burst == photo.burst]
        verdict = _tile(photo)["verdict"]
        return JSONResponse(
            _tile(photo)
            | {
                "path": f"/photos/{photo.folder}/{photo.name}",
                "rule": "policy.defects.blur.reject" if verdict == "quarantine" else "",
                "scores": {name: photo.scores.get(name) for name in DEFECTS},
                "subject": {"sharpness": review_burst.sharpness(photo), "sharp_share": 0.31, "faces": photo.faces},
                "model": "defects-3@41774ab860dc",
                "policy": "b3449472b52a",
                "policy_in_force": "b3449472b52a",
                "thresholds": THRESHOLDS,
                "facts": {
                    "camera": photo.camera,
                    "exposure_time": 0.004,
                    "aperture": 5.6,
                    "iso": 400,
                    "format": "jpeg",
                },
                "enhance": self.review.enhance,
                "copy": photo.copy,
                "burst": burst,
                "burst_view": burst_json(review_burst.view([each for each in self.review.photos if each.id in burst])),
                "stack": [],
                "history": [{"at": "2026-07-28T11:41:31+00:00", "verdict": verdict, "reason": photo.reason}],
                "would_change": [_would_change(photo)],
            }
        )

    def image(self, request: Request) -> Response:
        photo = self.review.ever(request.path_params["id"])
        what = request.path_params["what"]
        if photo is None:
            return _problem(404, "There is no such decision.")
        self.review.wait(what, photo.id)
        scene = _wanted(request, photo)
        usual = {"thumb": 320, "preview": 2048, "original": 10_000}.get(what)
        if scene is None or usual is None:
            return _problem(404, "There is no such picture.")
        return Response(_scaled(scene, int(request.query_params.get("size", usual))), media_type="image/jpeg")

    def crop(self, request: Request) -> Response:
        photo = self.review.ever(request.path_params["id"])
        assert photo is not None
        self.review.wait("crop", photo.id)
        x, y, w, h = (int(request.query_params[name]) for name in "xywh")
        return Response(
            _png(_drawn(_wanted(request, photo) or photo.scene).crop((x, y, x + w, y + h))), media_type="image/png"
        )

    def heat(self, request: Request) -> Response:
        photo = self.review.ever(request.path_params["id"])
        assert photo is not None
        self.review.wait("heat", photo.id)
        head = request.query_params["head"]
        image = _drawn(_wanted(request, photo) or photo.scene)
        if head == "clipping":
            return Response(_png(_clipping(image)), media_type="image/png")
        if head == "sharpness":
            return Response(_png(_sharpness(image)), media_type="image/png")
        p = min(max(photo.scores.get(head, 0.5), 1e-6), 1 - 1e-6)
        logit = math.log(p / (1 - p))
        headers = {"X-Logit": f"{logit:.3f}", "X-Probability": f"{p:.4f}"}
        return Response(_png(_reason_map(image, head)), media_type="image/png", headers=headers)

    def regions(self, request: Request) -> Response:
        photo = self.review.ever(request.path_params["id"])
        assert photo is not None
        self.review.wait("regions", photo.id)
        if self.review.no_regions:
            return _problem(422, self.review.no_regions)
        scene = _wanted(request, photo) or photo.scene
        return JSONResponse(_regions(*scene.size))

    async def wish(self, request: Request) -> Response:
        wish = await request.json()
        if wish["seen_count"] != len(wish["items"]):
            return _problem(422, "The number of photos differs from the number that was seen.")
        if wish["id"] in self.review.wishes:
            return JSONResponse({"id": wish["id"]}, status_code=202)
        changed = [item | {"now": now} for item in wish["items"] if (now := self._now(item)) != item["state"]]
        if changed:
            return _problem(410, "Some photos are not in the state that was shown any more.", changed)
        self.review.wishes[wish["id"]] = wish
        if self.review.running:
            self.review.carry_out()
        return JSONResponse({"id": wish["id"]}, status_code=202)

    def _now(self, item: dict[str, Any]) -> str | None:
        photo = self.review.ever(item["decision"])
        if photo is None:
            return None
        return photo.state if photo.id == item["decision"] else "superseded"

    async def progress(self, request: Request) -> Response:
        key = request.path_params["id"]
        wish = self.review.wishes.get(key)
        if wish is None:
            return _problem(404, "There is no such wish.")
        items = self.review.ended.get(key)
        waiting = [item | {"state": "waiting", "note": "", "now": None} for item in wish["items"]]
        state = "waiting" if items is None else "ended"
        return JSONResponse({"id": key, "kind": wish["kind"], "state": state, "items": items or waiting})

    async def simulate(self, request: Request) -> Response:
        wanted = (await request.json())["defects"]
        now = {photo.id: _judged(photo, THRESHOLDS) for photo in self.review.photos}
        then = {photo.id: _judged(photo, wanted) for photo in self.review.photos}
        move = [i for i in now if now[i] < 2 and then[i] == 2]
        back = [i for i in now if now[i] == 2 and then[i] < 2]
        answered = [p for p in self.review.photos if p.state in {"restored", "confirmed"}]
        false = sum(p.state == "restored" for p in answered)
        never = {name: "never" if t["reject"] is None else format(t["reject"], "g") for name, t in wanted.items()}
        lines = [f"    {name}: {{tag: {t['tag']:g}, reject: {never[name]}}}\n" for name, t in wanted.items()]
        yaml = "policy:\n  defects:\n" + "".join(lines)
        return JSONResponse(
            {
                "now": _sides(now),
                "then": _sides(then),
                "would_move": len(move),
                "would_come_back": len(back),
                "would_tag": sum(now[i] == 0 and then[i] == 1 for i in now),
                "would_untag": sum(now[i] == 1 and then[i] == 0 for i in now),
                "ids": {"move": move, "come_back": back},
                "false_rejects": {
                    "blur": {"answers": len(answered), "false": false, **_wilson(false, len(answered))},
                    "over": {"answers": 0, "false": 0, "low": 0.0, "high": 1.0},
                },
                "yaml": yaml,
            }
        )

    async def report(self, _request: Request) -> Response:
        return JSONResponse(json.loads((Path(__file__).parent / "review_report.json").read_text()))

    async def status(self, _request: Request) -> Response:
        waiting = sum(key not in self.review.ended for key in self.review.wishes)
        return JSONResponse(
            {
                "daemon": "running" if self.review.running else "stopped",
                "waiting": 0,
                "brake": "13 of the last 15 photos were to be moved" if self.review.brake else None,
                "offline": [],
                "policy": "b3449472b52a",
                "mode": "enforce",
                "counts": _counts({p.id: _verdict(p) for p in self.review.photos}),
                "wishes_waiting": waiting,
            }
        )

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._changes(request), media_type="text/event-stream")

    async def _changes(self, request: Request) -> Any:
        seen = 0
        while not await request.is_disconnected() and not _stopping.is_set():
            if self.review.change != seen:
                seen = self.review.change
                yield f"event: change\nid: {seen}\ndata: {json.dumps({'change': seen})}\n\n"
            await anyio.sleep(0.05)

    async def changes(self, request: Request) -> Response:
        return JSONResponse({"change": self.review.change, "ids": []})


_stopping = threading.Event()


def _wanted(request: Request, photo: Photo) -> Scene | None:
    """Return the scene of a photo, or of its repaired copy; None if that is not made."""
    if request.query_params.get("copy") != "1":
        return photo.scene
    made = photo.copy is not None and photo.copy["state"] == "made"
    return replace(photo.scene, fault="") if made else None


def _tile(photo: Photo) -> dict[str, Any]:
    width, height = photo.scene.size
    return {
        "id": photo.id,
        "name": photo.name,
        "folder": photo.folder,
        "state": photo.state,
        "verdict": ("keep", "tag", "quarantine", "unreadable")[_verdict(photo)],
        "reason": photo.reason,
        "width": width,
        "height": height,
        "taken_at": None,
        "digest": f"{photo.scene.seed:04x}{abs(hash(photo.scene)) % 10**8}",
    }


def _would_change(photo: Photo) -> str:
    worst = max(photo.scores, key=lambda name: photo.scores[name])
    limit = THRESHOLDS[worst]["reject"]
    side = "above" if photo.scores[worst] >= (limit or 2) else "of"
    effect = "not be rejected" if side == "above" else "be rejected"
    key = f"policy.defects.{worst}.reject"
    return f"With a threshold {side} {photo.scores[worst]:.3f} it would {effect} for {worst} ({key} is {limit})."


def _verdict(photo: Photo) -> int:
    return {"kept": 0, "tagged": 1, "tag confirmed": 1, "untagged": 1, "unreadable": 3}.get(photo.state, 2)


def _judged(photo: Photo, thresholds: dict[str, Any]) -> int:
    known = [(photo.scores[name], thresholds.get(name, THRESHOLDS[name])) for name in photo.scores]
    if any(t["reject"] is not None and p >= t["reject"] for p, t in known):
        return 2
    return 1 if any(p >= t["tag"] for p, t in known) else 0


def _bits(photo: Photo) -> int:
    above = [name for name, p in photo.scores.items() if p >= (THRESHOLDS[name]["tag"] or 2)]
    return sum(1 << _LETTERS[name] for name in above)


def _counts(verdicts: dict[int, int]) -> dict[str, int]:
    names = ("keep", "tag", "quarantine", "unreadable")
    return {name: sum(v == number for v in verdicts.values()) for number, name in enumerate(names)}


def _sides(verdicts: dict[int, int]) -> dict[str, int]:
    return {
        name: sum(v == number for v in verdicts.values()) for number, name in enumerate(("kept", "tagged", "rejected"))
    }


def _wilson(false: int, count: int) -> dict[str, float]:
    if not count:
        return {"low": 0.0, "high": 1.0}
    z, p = 1.96, false / count
    middle, half = p + z * z / (2 * count), z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return {"low": (middle - half) / (1 + z * z / count), "high": (middle + half) / (1 + z * z / count)}


def _reason_map(image: Image.Image, head: str) -> Image.Image:
    """Return a stand-in for the heat map of a defect: light parts, dark parts, or parts without edges."""
    grey = np.asarray(image.resize((320, 240)).convert("L"), np.float32)
    edge = np.abs(np.diff(grey, axis=1, append=grey[:, -1:])) + np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    value = {"over": grey, "under": 255 - grey}.get(head, 12 - np.minimum(edge, 12) + 0.04 * np.abs(grey - 128))
    cells = value.reshape(24, 10, 32, 10).mean((1, 3))
    small = Image.fromarray((255 * (cells - cells.min()) / max(float(np.ptp(cells)), 1e-6)).astype(np.uint8))
    soft = np.asarray(small.filter(ImageFilter.GaussianBlur(1.5)), np.float32) / 255
    return Image.fromarray((255 * (soft / max(float(soft.max()), 1e-6)) ** 3).astype(np.uint8))


def _regions(width: int, height: int) -> dict[str, Any]:
    """Return a stand-in for the regions of a photo: the upper half out of focus, and a clipped triangle below it."""
    middle = height // 2
    half = [[0, 0], [width, 0], [width, middle], [0, middle]]
    triangle = [[width // 2, middle], [width // 4, height], [3 * width // 4, height]]
    classes = [
        {"class": "defocus", "text": "out of focus 50 %", "colour": "#e69f00", "share": 0.5, "polygons": [half]},
        {
            "class": "highlight",
            "text": "clipped highlight 12 %",
            "colour": "#f0e442",
            "share": 0.12,
            "polygons": [triangle],
        },
    ]
    sentence = ", ".join(str(each["text"]) for each in classes)
    return {"model": "segment-1", "width": width, "height": height, "sentence": sentence, "classes": classes}


def _clipping(image: Image.Image) -> Image.Image:
    grey = np.asarray(image.resize((192, 128)).convert("L"))
    cells = np.where(grey >= 252, 1, np.where(grey <= 6, 2, 0)).astype(np.uint8)
    made = Image.fromarray(cells, "P")
    made.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    made.info["transparency"] = 0
    return made


def _sharpness(image: Image.Image) -> Image.Image:
    grey = np.asarray(image.resize((384, 256)).convert("L"), np.float32)
    edge = np.abs(np.diff(grey, axis=1, append=grey[:, -1:])) + np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    cells = edge.reshape(32, 8, 48, 8).mean((1, 3))
    return Image.fromarray((255 * np.clip(cells / 24, 0, 1)).astype(np.uint8))


def _problem(status: int, detail: str, items: list[dict[str, Any]] | None = None) -> Response:
    body = {"items": items or [], "type": "about:blank", "status": status, "title": detail, "detail": detail}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


class _Headers:
    """Gives every answer the headers of `culld web`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = CSP
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers)


def application(review: Review) -> Starlette:
    """Return the stand-in as an ASGI application."""

    async def index(_request: Request) -> Response:
        return Response((STATIC / "index.html").read_bytes(), media_type="text/html")

    routes = [Route("/", index), *_Api(review).routes(), Mount("/s", StaticFiles(directory=STATIC))]
    return Starlette(routes=routes, middleware=[Middleware(_Headers)])


@contextlib.contextmanager
def served(review: Review) -> Iterator[str]:
    """Serve a stand-in on a free port of the loopback; its address."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)
    config = uvicorn.Config(application(review), log_level="critical", timeout_graceful_shutdown=5, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    _stopping.clear()
    thread.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
    finally:
        _stopping.set()
        server.should_exit = True
        thread.join(10)
        sock.close()
