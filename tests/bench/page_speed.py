"""`make bench-web`: the review page in Chromium, from the key to the picture; prints medians and 95th percentiles.

The lists are made journals; the photos are made JPEGs of 6, 24 and 54 megapixels. Every figure but those of the server
is taken by the page's own clock: from the event to the second frame after what it changed.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))

import numpy as np  # noqa: E402 (the path of the tests is set above)
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402

from culld.clock import SystemClock  # noqa: E402
from culld.journal.row_mapping import INSERT_DECISION, decision_row  # noqa: E402
from culld.journal.store import SqliteJournal  # noqa: E402
from culld.records import (  # noqa: E402
    Assessment,
    Camera,
    Photo,
    PlanState,
    RecordedDecision,
    RootedPath,
    Scores,
    Stack,
    Verdict,
)
from harness import factories  # noqa: E402

CHROMIUM = os.environ.get("CULLD_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
CONFIG = "watch: [{{path: photos}}]\nquarantine: q\nstate: state\nweb: {{port: {port}}}\npolicy: {{mode: enforce}}\n"
WINDOW = {"width": 1440, "height": 900}
SIZES = {6: (3000, 2000), 24: (6000, 4000), 54: (9000, 6000)}
TIMES = 20

_CLOCK = """
window.frame = () => new Promise(requestAnimationFrame);
window.frames2 = async () => { await window.frame(); await window.frame(); return performance.now(); };
window.until = async (true_, most = 60000) => {
  const begun = performance.now();
  while (!true_()) {
    if (performance.now() - begun > most) throw new Error("too long: " + true_);
    await window.frame();
  }
  return window.frames2();
};
window.afterKey = (true_) => new Promise((done, fail) => addEventListener("keydown", (event) => {
  const at = event.timeStamp;
  window.until(true_).then((then) => done(then - at), fail);
}, { capture: true, once: true }));
window.whole = (image) => image.complete && image.naturalWidth > 0;
window.inView = (image) => {
  const { top, bottom } = image.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};
window.drawn = (tile) => { const image = tile.querySelector("img"); return image && window.whole(image); };
window.tilesReady = () => {
  const tiles = [...document.querySelectorAll("culld-grid .tile")].filter(window.inView);
  return tiles.length > 3 && tiles.every(window.drawn);
};
window.shownPhoto = () => document.querySelector("culld-photo .photos img:not(.original):not(.part)");
window.isPreview = (image) => image && image.src.includes("preview") && window.whole(image);
window.turned = (src) => { const image = window.shownPhoto(); return window.isPreview(image) && image.src !== src; };
window.rests = (number) => {
  const image = window.shownPhoto();
  return window.isPreview(image) && image.src.includes(`/${number}/`) && !document.querySelector(".pane.zoomed");
};
window.sharp = () => document.querySelector("culld-photo .original, culld-photo .part");
window.numbers = () => document.querySelector("culld-policy .numbers .big");
window.compared = () => {
  const shown = [...document.querySelectorAll("culld-compare .photos img")];
  return shown.length >= 4 && shown.every(window.isPreview);
};
window.countFrames = () => {
  window.steps = [];
  let last = performance.now();
  const step = (now) => { window.steps.push(now - last); last = now; window.raf = requestAnimationFrame(step); };
  window.raf = requestAnimationFrame(step);
};
window.wish = (kind, decision, state) => fetch("/api/v1/wishes", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ id: crypto.randomUUID(), kind, items: [{ decision, state }], seen_count: 1 }),
});
"""


@dataclass(frozen=True)
class Figure:
    """A measured figure: what, the samples, their unit, and the wanted value."""

    what: str
    samples: Sequence[float]
    unit: str
    wanted: str

    def line(self) -> str:
        """The row of the table."""
        ordered = sorted(self.samples)
        median, p95 = statistics.median(ordered), ordered[max(0, round(0.95 * len(ordered)) - 1)]
        return f"| {self.what} | {median:.0f} {self.unit} | {p95:.0f} | {self.wanted} | {len(ordered)} |"


@dataclass
class Served:
    """A running `culld web`, and the cookie of a person who is logged in."""

    folder: Path
    process: subprocess.Popen[str]
    address: str
    cookies: Any

    def context(self, browser: Browser) -> BrowserContext:
        """A new window of this person; nothing is in its cache."""
        made = browser.new_context(viewport=WINDOW)
        made.add_cookies(self.cookies)
        made.add_init_script(_CLOCK)
        return made


@contextmanager
def served(folder: Path, browser: Browser, port: int) -> Iterator[Served]:
    """Run `culld web`, and log in."""
    command = [sys.executable, "-m", "culld", "web", "--config", "c.yaml", "--port", str(port)]
    environ = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        link = _link(process)
        first = browser.new_context()
        page = first.new_page()
        _patiently(lambda: page.goto(link))
        page.wait_for_selector("main > *")
        yield Served(folder, process, link.partition("#")[0], first.cookies())
        first.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _link(process: subprocess.Popen[str]) -> str:
    """The address with the code, which the process prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if "#login=" in line:
            return line.split()[-1]
    raise SystemExit("culld web printed no address")


def _patiently(call: Callable[[], object]) -> None:
    for _ in range(100):
        try:
            call()
        except Exception:  # noqa: BLE001 (the server may not listen yet)
            time.sleep(0.05)
        else:
            return
    call()


def decision(number: int, place: RootedPath, digest: str, size: tuple[int, int], series: str = "") -> RecordedDecision:
    """A tagged photo, as the daemon records it."""
    taken = factories.NOON + timedelta(seconds=7 * number)
    photo = Photo(place, factories.stamp(), digest, factories.photo().format, Camera("EOS R5", taken))
    scores = Scores(0.5 + (number * 7919 % 4000) / 10000, 0.01, 0.02)
    return RecordedDecision(
        plan=f"plan-{number}",
        made_at=taken,
        stack=Stack(Assessment(photo, scores, "defects-3@41774ab860dc", full_size=size)),
        verdict=Verdict.TAG,
        reason=f"blur {scores.blur:.2f} reaches policy.defects.blur.tag 0.5",
        keywords=("defect:blur",),
        policy="0b2f32ef3469",
        rule="policy.defects.blur.tag",
        would_reject=False,
        state=PlanState.DONE,
        now=place,
        now_digest=digest,
        series_id=series,
    )


def write_library(folder: Path, port: int, decisions: Iterator[RecordedDecision]) -> None:
    """Write the configuration and a journal with these decisions."""
    (folder / "c.yaml").write_text(CONFIG.format(port=port))
    for name in ("photos", "q", "state"):
        (folder / name).mkdir(exist_ok=True)
    with SqliteJournal.open(folder / "state" / "journal.sqlite3", SystemClock()) as journal, journal._writing() as db:
        db.executemany(INSERT_DECISION, (decision_row(each) for each in decisions))


def picture(megapixels: int) -> bytes:
    """A JPEG with the detail of a photo: structure at all scales, and noise."""
    width, height = SIZES[megapixels]
    rng = np.random.default_rng(megapixels)
    layers = np.zeros((height, width), np.float32)
    for scale in (8, 40, 200):
        small = Image.fromarray(rng.normal(0, 40, (height // scale + 1, width // scale + 1)).astype(np.float32))
        layers += np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    layers += rng.normal(0, 4, layers.shape).astype(np.float32)
    grey = np.clip(layers + 120, 0, 255).astype(np.uint8)
    tinted = np.stack([grey, np.roll(grey, 9, axis=1), np.roll(grey, 21, axis=0)], axis=-1)
    return factories.encoded(Image.fromarray(tinted), quality=90)


def first_screens(browser: Browser, listed: int, port: int) -> Iterator[Figure]:
    """From the opening of the page to the last thumbnail of the first screen, on a warm server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = [
            RootedPath(folder / "photos", Path(f"{number // 500:04}/IMG_{number:07}.jpg")) for number in range(listed)
        ]
        write_library(folder, port, (decision(n, place, f"{n:064x}", SIZES[6]) for n, place in enumerate(places)))
        data = factories.encoded(factories.picture(1, (1500, 1000)), quality=88)
        with served(folder, browser, port) as server:
            for _ in range(
                2
            ):  # the first time to learn which photos are listed first, then to have their thumbnails made
                context = server.context(browser)
                page = context.new_page()
                page.goto(server.address)
                page.wait_for_selector("culld-grid .tile")
                page.wait_for_timeout(1500)
                for number in map(int, page.evaluate(_LISTED_IDS)):
                    path = places[number - 1].path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
                context.close()
            samples = [_ready(server, browser) for _ in range(7)]
            wanted = {20_000: "300", 100_000: "450", 1_000_000: "800"}[listed]
            yield Figure(f"first screen ready, {listed:,} listed", samples, "ms", wanted)
            if listed == 100_000:
                yield from _slider(server, browser)


_LISTED_IDS = (
    """() => [...document.querySelectorAll("culld-grid .tile")].map((tile) => tile.dataset.key.split(" ")[0])"""
)


def _ready(server: Served, browser: Browser) -> float:
    context = server.context(browser)
    page = context.new_page()
    page.goto(server.address, wait_until="commit")
    found = float(page.evaluate("() => window.until(window.tilesReady)"))
    context.close()
    return found


def _slider(server: Served, browser: Browser) -> Iterator[Figure]:
    context = server.context(browser)
    page = context.new_page()
    page.goto(server.address + "#/policy")
    page.wait_for_selector("culld-policy .numbers .big")
    page.focus("#blur-reject" if page.is_enabled("#blur-reject") else "#blur-tag")
    samples = []
    for number in range(TIMES):
        waits = page.evaluate_handle(
            "() => { const before = window.numbers();"
            " return { time: window.afterKey(() => window.numbers() !== before) }; }"
        )
        page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
        samples.append(float(page.evaluate("(waits) => waits.time", waits)))
        page.wait_for_timeout(150)
    context.close()
    yield Figure("slider to numbers, 100,000 photos", samples, "ms", "100")


@contextmanager
def real_photos(browser: Browser, port: int) -> Iterator[tuple[Served, dict[str, list[int]]]]:
    """A server of real files: 60 of 24 MP, 8 of 54 MP and a burst of 4 of 24 MP; with the numbers of the decisions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        kinds = [("turn", 24, 60), ("large", 54, 8), ("burst", 24, 4)]
        made, numbers = [], {}
        for kind, megapixels, count in kinds:
            data = picture(megapixels)
            numbers[kind] = list(range(len(made) + 1, len(made) + count + 1))
            for number in range(count):
                place = RootedPath(folder / "photos", Path(f"{kind}-{number:03}.jpg"))
                place.path.write_bytes(data + bytes([number]))  # behind the end of the picture: another digest
                series = "burst" if kind == "burst" else ""
                made.append(decision(len(made), place, uuid.uuid4().hex * 2, SIZES[megapixels], series))
        write_library(folder, port, iter(made))
        with served(folder, browser, port) as server:
            yield server, numbers


def turning(browser: Browser, port: int) -> Iterator[Figure]:
    """From the key to the next photo, to 100 %, four beside each other, and the memory of the server."""
    with real_photos(browser, port) as (server, numbers):
        context = server.context(browser)
        page = context.new_page()
        yield from _never_seen(page, server, numbers["turn"])
        yield from _warm(page, server, numbers["turn"])
        yield from _sharp(page, server, numbers["turn"][:5], "sharp at 100 %, 24 MP", "400")
        idle = _memory(server.process.pid)
        yield from _sharp(page, server, numbers["large"][:5], "sharp at 100 %, 54 MP", "600")
        yield from _compare(page, server, numbers["burst"])
        context.close()
        yield Figure("memory of the web process alone", [idle], "MB", "60")
        yield Figure(
            "with the workers that make previews, after 54 MP", [_tree_memory(server.process.pid)], "MB", "300"
        )


def _never_seen(page: Page, server: Served, numbers: Sequence[int]) -> Iterator[Figure]:
    """Photos far from each other, so that neither server nor browser has them."""
    page.goto(f"{server.address}#/photo/{numbers[0]}")
    page.wait_for_function("() => window.shownPhoto() && window.whole(window.shownPhoto())")
    samples = []
    for number in numbers[10::7]:
        page.wait_for_timeout(1200)  # the neighbours of the last one are fetched
        samples.append(
            float(
                page.evaluate(
                    "async (number) => { const src = window.shownPhoto().src, at = performance.now();"
                    " location.hash = `#/photo/${number}`; return await window.until(() => window.turned(src)) - at; }",
                    number,
                )
            )
        )
    yield Figure("to a photo of 24 MP that was never seen", samples, "ms", "250")


def _warm(page: Page, server: Served, numbers: Sequence[int]) -> Iterator[Figure]:
    """The next photo, whose preview was fetched before; a person looks at each for half a second."""
    page.goto(f"{server.address}#/photo/{numbers[20]}")
    page.wait_for_timeout(4000)
    samples = []
    for _ in range(TIMES):
        waits = page.evaluate_handle(
            "() => { const src = window.shownPhoto().src; return { time: window.afterKey(() => window.turned(src)) }; }"
        )
        page.keyboard.press("ArrowRight")
        samples.append(float(page.evaluate("(waits) => waits.time", waits)))
        page.wait_for_timeout(500)
    yield Figure("key to the next photo, warm", samples, "ms", "33")


def _sharp(page: Page, server: Served, numbers: Sequence[int], what: str, wanted: str) -> Iterator[Figure]:
    """From the key Z to the original's own pixels."""
    samples = []
    for number in numbers:
        page.goto(f"{server.address}#/photo/{number}")
        page.wait_for_function("(number) => window.rests(number)", arg=number)
        page.wait_for_timeout(1500)
        waits = page.evaluate_handle("() => ({ time: window.afterKey(window.sharp) })")
        page.keyboard.press("z")
        samples.append(float(page.evaluate("(waits) => waits.time", waits)))
        page.keyboard.press("z")
        page.wait_for_function("() => !document.querySelector('.pane.zoomed')")
    yield Figure(what, samples, "ms", wanted)


def _compare(page: Page, server: Served, numbers: Sequence[int]) -> Iterator[Figure]:
    """Four frames of 24 MP at 100 %: the time until all originals are there, and the frames while they are moved."""
    ids = ",".join(map(str, numbers))
    page.goto(server.address + "#/grid")
    page.wait_for_timeout(1500)
    load = page.evaluate(
        "async (ids) => { const at = performance.now(); location.hash = `#/compare/${ids}`;"
        " return await window.until(window.compared) - at; }",
        ids,
    )
    yield Figure("compare 4 x 24 MP: loaded", [float(load)], "ms", "1000")
    page.keyboard.press("z")
    page.wait_for_function("() => document.querySelectorAll('culld-compare .original').length >= 4", timeout=30_000)
    page.wait_for_timeout(1500)  # the originals are drawn for the first time
    page.evaluate("() => window.countFrames()")
    for number in range(60):
        page.keyboard.press("Control+ArrowRight" if number // 8 % 2 else "Control+ArrowLeft")
        page.wait_for_timeout(16)
    steps = page.evaluate("() => { cancelAnimationFrame(window.raf); return window.steps.slice(2); }")
    yield Figure("compare 4 x 24 MP: a frame while it moves", steps, "ms", "17")


def wishes(browser: Browser, port: int) -> Iterator[Figure]:
    """From the request to the file of the wish, and from the key to the photo back in its folder, beside a daemon."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "c.yaml").write_text(CONFIG.format(port=port) + "settle: {quiet: 300ms}\nbatch: {wait: 200ms}\n")
        (folder / "photos").mkdir()
        for number in range(12):
            data = factories.encoded(factories.blurred(factories.picture(number, (1500, 1000))), quality=85)
            (folder / "photos" / f"IMG_{number:02}.jpg").write_bytes(data)
        subprocess.run([sys.executable, "-m", "culld", "once", "--config", "c.yaml"], cwd=folder, check=True)
        with served(folder, browser, port) as server:
            context = server.context(browser)
            page = context.new_page()
            page.goto(server.address)
            yield Figure("wish on the disk", [_wish_s(page, folder, number) for number in range(1, 6)], "ms", "50")
            with _daemon(folder):
                _patiently(lambda: _no_wishes(folder))
                yield Figure("one photo brought back", [_restore_s(page, folder) for _ in range(5)], "ms", "500")
            context.close()


def _wish_s(page: Page, folder: Path, number: int) -> float:
    """A wish that confirms a decision, by the page's own request."""
    found = page.evaluate(
        "async (number) => { const at = performance.now();"
        " const { status } = await window.wish('confirm', number, 'rejected');"
        " return [status, performance.now() - at]; }",
        number,
    )
    if found[0] != 202 or not any((folder / "state" / "wishes").glob("*.json")):
        raise SystemExit(f"the wish was answered with {found[0]}")
    return float(found[1])


def _no_wishes(folder: Path) -> None:
    if any((folder / "state" / "wishes").glob("*.json")):
        raise RuntimeError("wishes wait")


def _restore_s(page: Page, folder: Path) -> float:
    """Bring back the first photo that is still in quarantine."""
    there = min((folder / "q").rglob("*.jpg"))
    page.goto(page.url.partition("#")[0])
    page.wait_for_selector("culld-grid .tile")
    page.wait_for_timeout(1000)
    back = folder / "photos" / there.name
    index = page.evaluate("async (name) => (await (await fetch('/api/v1/index')).json()).columns.id", there.name)
    numbers = np.frombuffer(base64.b64decode(index), "<u4")
    ids = ",".join(map(str, numbers))
    photos = page.evaluate("async (ids) => (await (await fetch('/api/v1/photos?ids=' + ids)).json()).photos", ids)
    wanted = next(each for each in photos if each["name"] == there.name and not back.exists())
    begun = time.perf_counter()
    page.evaluate("([number, state]) => window.wish('restore', number, state)", [wanted["id"], wanted["state"]])
    while not back.exists():
        if time.perf_counter() - begun > 30:
            raise SystemExit(f"{there.name} did not come back")
        time.sleep(0.005)
    return 1000 * (time.perf_counter() - begun)


@contextmanager
def _daemon(folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "culld", "run", "--config", "c.yaml"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "ready" in line:
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def leafing(browser: Browser, port: int) -> Iterator[Figure]:
    """How much slower photos are judged while a person leafs: pairs of runs of `culld once`, in turn."""
    with real_photos(browser, port) as (server, numbers), tempfile.TemporaryDirectory() as name:
        context = server.context(browser)
        page = context.new_page()
        page.goto(f"{server.address}#/photo/{numbers['turn'][0]}")
        page.wait_for_timeout(3000)
        data = picture(6)
        ratios = []
        for turn in range(3):
            alone = _judge(Path(name) / f"{turn}-alone", data, lambda: None)
            beside = _judge(Path(name) / f"{turn}-beside", data, lambda: _leaf(page))
            ratios.append(100 * (beside / alone - 1))
        context.close()
        yield Figure("judging, slower while a person leafs once a second", ratios, "%", "5")


def _leaf(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)


def _judge(folder: Path, data: bytes, meanwhile: Callable[[], None]) -> float:
    """The seconds that `culld once` takes for 80 photos of 6 MP."""
    (folder / "photos").mkdir(parents=True)
    (folder / "c.yaml").write_text(CONFIG.format(port=1))
    for number in range(80):
        (folder / "photos" / f"{number}.jpg").write_bytes(data + bytes([number]))
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "culld", "once", "--config", "c.yaml"], cwd=folder, stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        meanwhile()
        time.sleep(0.01)
    return time.perf_counter() - begun


def _memory(pid: int) -> float:
    """The resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _tree_memory(pid: int) -> float:
    """The proportional memory of a process and all below it in MB: each shared page counts once."""
    return _pss(pid) + sum(_tree_memory(child) for child in _children(pid))


def _children(pid: int) -> Iterator[int]:
    """The children of a process; each of its threads has its own list."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def _pss(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.partition("Pss:")[2].split()[0]) / 1024


def figures(browser: Browser, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Yield all figures."""
    parts = {"turning": turning, "wishes": wishes, "leafing": leafing}
    for part in arguments.only or ["first", *parts]:
        if part == "first":
            for listed in arguments.listed:
                yield from first_screens(browser, listed, arguments.port)
        else:
            yield from parts[part](browser, arguments.port)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listed", type=int, nargs="*", default=[20_000, 100_000, 1_000_000])
    parser.add_argument("--only", nargs="*", choices=["first", "turning", "wishes", "leafing"])
    parser.add_argument("--port", type=int, default=8495)
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    lines = ["| what | median | p95 | wanted | samples |", "|---|---|---|---|---|"]
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    print(*lines, sep="\n", flush=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=root)
        for figure in figures(browser, arguments):
            lines.append(figure.line())
            print(lines[-1], flush=True)
        browser.close()
    if arguments.out:
        head = "# The speed of the review page\n\nWritten by `make bench-web`: one run, Chromium without a GPU.\n\n"
        arguments.out.write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
