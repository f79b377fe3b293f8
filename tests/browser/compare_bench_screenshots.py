"""Makes the pictures of the bench: `PYTHONPATH=tests python tests/browser/compare_bench_screenshots.py [FOLDER]`.

The photos are drawn; the models, their figures and the page are real.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from browser.conftest import CHROMIUM
from browser.screenshots import DOCS, MOST_BYTES
from harness.compare_bench import draw_photos, run_bench

PAIRS = 48
HEIGHTS = {1440: 1480, 390: 844}
PAIR = "move 1"


def taken(browser: Browser, page_file: Path, folder: Path, scheme: str, width: int) -> None:
    """Take the picture of one scheme and width."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=width < 500,
        is_mobile=width < 500,
    )
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.select_option("#pair", label=PAIR)
    page.locator("#truth").check()
    page.wait_for_function("() => [...document.images].every((each) => each.naturalWidth > 0)")
    page.evaluate("document.activeElement.blur()")
    if page.evaluate("document.documentElement.scrollWidth") > width:
        raise SystemExit(f"the page is wider than {width} pixels")
    path = folder / f"compare-bench-{scheme}-{width}.jpg"
    quality = 82
    while len(page.screenshot(path=path, type="jpeg", quality=quality)) > MOST_BYTES:
        quality -= 6
    print(path.name, path.stat().st_size)  # noqa: T201 (a script)
    context.close()


def main() -> None:
    """Measure, then take all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        page = run_bench(draw_photos(Path(work) / "photos"), Path(work) / "out", None, pairs=PAIRS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in HEIGHTS:
            for scheme in ("dark", "light"):
                taken(browser, page, folder, scheme, width)
        browser.close()


if __name__ == "__main__":
    main()
