"""Makes the pictures of the review page in docs/: `PYTHONPATH=tests python tests/browser/screenshots.py [FOLDER]`.

The photos are drawn, and their scores and answers are made up; the page is the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from browser.conftest import CHROMIUM
from harness.review_server import Review, library, served

DOCS = Path(__file__).resolve().parents[2] / "docs"
COUNT = 48
PHOTO = (1800, 1200)
SIZES = {1440: (1440, 900), 390: (390, 844)}
MOST_BYTES = 150_000


def prepared() -> Review:
    """Return a library in which some photos are answered."""
    review = Review(library(COUNT, PHOTO))
    for number, photo in enumerate(review.photos):
        photo.faces = []
        if photo.state == "rejected" and number % 3 == 0:
            photo.state = "restored" if number % 9 == 0 else "confirmed"
    return review


def views(page: Page, address: str) -> Iterator[str]:
    """Go from view to view, and name each."""
    page.goto(f"{address}#/grid?defect=blur&defect=over&defect=under")
    page.wait_for_selector(".tile.here")
    settle(page)
    yield "grid"
    page.goto(f"{address}#/grid?order=oldest&defect=blur&verdict=rejected")
    page.wait_for_selector(".tile.here")
    for key in ("Home", "e", "h"):
        page.keyboard.press(key)
    settle(page)
    yield "photo"
    page.keyboard.press("h")
    page.keyboard.press("h")
    page.keyboard.press("n")
    page.wait_for_selector("culld-survey .best")
    settle(page)
    yield "burst"
    page.goto(f"{address}#/policy")
    page.locator("#blur-reject").fill("80")
    page.wait_for_selector("culld-policy .strip .frame")
    settle(page)
    yield "policy"
    page.goto(f"{address}#/report")
    page.wait_for_selector("culld-report .plot")
    settle(page)
    yield "report"


def settle(page: Page) -> None:
    """Wait until the messages have gone, and every picture in view is there."""
    page.wait_for_timeout(5200)
    page.wait_for_function("() => [...document.images].every((image) => image.loading === 'lazy' || image.complete)")


def taken(browser: Browser, address: str, folder: Path, scheme: str, width: int) -> None:
    """Take the pictures of one scheme and width."""
    wide, high = SIZES[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=width < 500,
        is_mobile=width < 500,
    )
    page = context.new_page()
    for name in views(page, address):
        path = folder / f"web-{name}-{scheme}-{width}.jpg"
        quality = 82
        while len(page.screenshot(path=path, type="jpeg", quality=quality)) > MOST_BYTES:
            quality -= 8
        print(path.name, path.stat().st_size)  # noqa: T201 (a script)
    context.close()


def main() -> None:
    """Take all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    with sync_playwright() as playwright, served(prepared()) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in SIZES:
            for scheme in ("dark", "light"):
                taken(browser, address, folder, scheme, width)
        browser.close()


if __name__ == "__main__":
    main()
