"""The page of the bench in a browser, as a file: it sorts, slides, picks, and asks for nothing outside of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from browser.conftest import Person, checked, record
from browser.test_accessibility import RULES
from harness.compare_bench import draw_photos, run_bench

pytest.importorskip("cv2")
MODELS = "absdiff,ssim,siamese-vgg16"
NAMES = "#half-title ~ .wide tbody th"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small bench on drawn photos."""
    folder = tmp_path_factory.mktemp("bench")
    return run_bench(draw_photos(folder / "photos", (640, 480)), folder / "out", MODELS)


@dataclass
class Opened:
    """The page in a browser without a network, what the browser complains about, and what the page asks for."""

    person: Person
    requests: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The page."""
        return self.person.page


def opened(context: BrowserContext, written: Path) -> Opened:
    """Open the page as a file, and wait for its pictures."""
    context.set_offline(True)
    found = Opened(record(context.new_page(), written.as_uri()))
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.goto(written.as_uri())
    found.page.wait_for_function("() => [...document.images].every((each) => each.hidden || each.naturalWidth > 0)")
    return found


@pytest.fixture
def page(context: BrowserContext, written: Path) -> Iterator[Page]:
    """The open page, about which the browser must not complain, and which asks for nothing but itself and its data."""
    found = opened(context, written)
    yield found.page
    assert written.as_uri() in found.requests
    assert [url for url in found.requests if url != written.as_uri() and not url.startswith("data:")] == []
    checked(found.person)


def text_of(page: Page, selector: str) -> list[str]:
    """The first line of each element."""
    return [text.splitlines()[0] for text in page.locator(selector).all_inner_texts()]


def test_the_table_is_sorted_by_any_column_with_the_keyboard(page: Page) -> None:
    """Down, then up; a model without figures stays last, and the heading has the order."""
    head = page.locator("#half-title ~ .wide th", has_text="IoU").first
    values = "#half-title ~ .wide tbody td:nth-of-type(1)"

    head.locator("button").focus()
    page.keyboard.press("Enter")
    down = text_of(page, values)
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Enter")
    up = text_of(page, values)

    assert head.get_attribute("aria-sort") == "ascending"
    assert down[:2] == sorted(down[:2], reverse=True)
    assert up == [*down[:2][::-1], "-"]
    assert text_of(page, NAMES)[-1] == "siamese-vgg16"
    assert page.locator("[aria-sort]").count() == 1


def test_names_are_sorted_from_a_on(page: Page) -> None:
    """And by another heading than before."""
    for title in ("p50 ms", "model"):
        page.locator("#half-title ~ .wide th button", has_text=title).click()

    assert text_of(page, NAMES) == ["absdiff", "siamese-vgg16", "ssim"]
    assert page.locator("[aria-sort]").inner_text().startswith("model")


def test_the_slider_uncovers_the_second_photo_by_keyboard(page: Page) -> None:
    """Left and right, to both ends; the value has words."""
    width = page.locator("#viewer").bounding_box()["width"]  # type: ignore[index]
    slider = page.get_by_label("First photo up to here")

    def border() -> float:
        box = page.locator(".cut").bounding_box()
        return (box["x"] + 1 - page.locator("#viewer").bounding_box()["x"]) / width  # type: ignore[index]

    slider.focus()
    assert border() == pytest.approx(0.5, abs=0.01)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert border() == pytest.approx(0.6, abs=0.01)
    assert slider.get_attribute("aria-valuetext") == "first photo on the left 60 % of the width"
    page.keyboard.press("Home")
    assert border() == pytest.approx(0, abs=0.01)
    assert "100%" in page.eval_on_selector("#first", "each => getComputedStyle(each).clipPath")


def test_another_model_has_another_heat_map_on_the_same_photos(page: Page) -> None:
    """With its own figures, and its own row in the table beside it."""

    def shown() -> tuple[str | None, ...]:
        return tuple(page.locator(f"#{name}").get_attribute("src") for name in ("first", "second", "map"))

    page.select_option("#model", label="absdiff")
    first = shown()
    page.select_option("#model", label="ssim")
    second = shown()

    assert first[:2] == second[:2]
    assert first[2] != second[2]
    assert page.locator("#caption").inner_text().startswith("ssim: IoU")
    assert text_of(page, "#worth [aria-current] th") == ["ssim"]
    assert page.locator("#worth tr").count() == 2


def test_another_pair_has_other_photos(page: Page) -> None:
    """Every kind can be picked; an unchanged pair has no IoU."""
    before = page.locator("#first").get_attribute("src")
    kinds = {name.partition(" ")[0] for name in page.locator("#pair option").all_inner_texts()}

    page.select_option("#pair", label="unchanged 1")

    assert page.locator("#first").get_attribute("src") != before
    assert kinds == {"paste", "move", "remove", "recolour", "unchanged", "refocused"}
    assert "found, wrongly" in page.locator("#caption").inner_text()
    assert page.locator("#changed").inner_text() == "0.0 % of the area is changed."


def test_the_map_and_the_true_change_can_be_hidden(page: Page) -> None:
    """Under a map the photos are grey, so that it can be seen in any scene."""
    grey = "each => getComputedStyle(each).filter"

    assert "grayscale" in page.eval_on_selector("#first", grey)
    page.get_by_label("Heat map").uncheck()
    page.get_by_label("True change").check()

    assert page.eval_on_selector("#first", grey) == "none"
    assert page.locator("#map").is_hidden()
    assert page.locator("#outline").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    chromium: Browser, written: Path, scheme: str, width: int
) -> None:
    """In either scheme, with the explanations open."""
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = opened(context, written).page
    for each in page.locator("summary").all():
        each.click()
    page.locator("#worth th").first.evaluate("each => { each.textContent = 'a-network-with-a-long-name'; }")

    found = Axe().run(page, options=RULES)

    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_targets_are_large_enough_on_touch(chromium: Browser, written: Path) -> None:
    """Buttons, pickers and the slider."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = opened(context, written).page

    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, .check, #slider, summary")].filter((each) =>
          each.getBoundingClientRect().height < 43.5).map((each) => each.outerHTML)"""
    )

    assert not small
    context.close()


def test_the_tables_are_there_without_javascript(chromium: Browser, written: Path) -> None:
    """As they were written."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written.as_uri())

    assert text_of(page, NAMES) == ["absdiff", "ssim", "siamese-vgg16"]
    context.close()
