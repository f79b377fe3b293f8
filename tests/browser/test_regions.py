"""R shows the regions of a photo that have a defect: contours at any zoom, a legend, and a sentence for readers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from browser.conftest import Person, checked, record
from harness.review_server import Review

_BOX = """(each) => {
  const { left, top, width, height } = each.getBoundingClientRect();
  return [left, top, width, height];
}"""
_LINES = "(all) => all.map((each) => [each.getAttribute('stroke'), each.getAttribute('d')])"
_ON_SCREEN = """(each) => parseFloat(getComputedStyle(each).strokeWidth)
  * document.querySelector(".sheet").getBoundingClientRect().width / document.querySelector(".sheet").offsetWidth"""
"""The width of a line on the screen, in its px."""
SENTENCE = "out of focus 50 %, clipped highlight 12 %"


def opened(person: Person) -> Person:
    """Open the first photo alone."""
    person.opens("#/grid?order=oldest").presses("e")
    person.page.wait_for_selector("culld-photo .photos img")
    return person


def test_key_shows_contours_with_a_legend_in_words_and_tells_the_shares(person: Person) -> None:
    """The outlines have the colours of the legend; the same key takes them away."""
    opened(person).presses("r").hears(SENTENCE)
    page = person.page
    page.wait_for_selector(".contour .region")
    (first, middle), (second, _) = page.eval_on_selector_all(".contour .region", _LINES)
    assert (first, second) == ("#e69f00", "#f0e442")
    assert middle.startswith("M0,0 ")
    assert middle.endswith("Z")
    assert page.eval_on_selector_all(
        ".legend > span", "(all) => all.map((each) => each.textContent)"
    ) == SENTENCE.split(", ")
    assert page.eval_on_selector_all(".legend rect", "(all) => all.map((each) => each.getAttribute('fill'))") == [
        first,
        second,
    ]
    assert page.get_attribute(".contour", "aria-label") == f"Regions: {SENTENCE}"
    assert page.get_attribute("#b-regions", "aria-pressed") == "true"
    assert page.get_attribute("#b-heat", "aria-pressed") == "false"
    assert page.eval_on_selector(".contour .region", "(each) => getComputedStyle(each).stroke") == "rgb(230, 159, 0)"
    person.presses("r")
    page.wait_for_selector(".contour", state="detached")
    page.wait_for_selector(".legend", state="detached")


def test_contours_stay_on_the_photo_when_it_is_zoomed_and_follow_to_the_next_one(person: Person) -> None:
    """At 100 % the layer covers the sheet, and the line is as wide as before."""
    opened(person).presses("r")
    page = person.page
    page.wait_for_selector(".contour .region")
    before = page.eval_on_selector(".contour", _BOX)
    assert page.eval_on_selector(".contour .region", _ON_SCREEN) == pytest.approx(2.5, abs=0.1)
    person.presses("+", "+")
    page.wait_for_function("() => document.querySelector('.pane').classList.contains('zoomed')")
    assert page.eval_on_selector(".contour", _BOX) == pytest.approx(page.eval_on_selector(".sheet", _BOX), abs=1)
    assert page.eval_on_selector(".contour", _BOX)[2] > before[2]
    assert page.eval_on_selector(".contour .region", _ON_SCREEN) == pytest.approx(2.5, abs=0.1)
    page.evaluate("document.querySelector('.contour').remove()")
    person.presses("ArrowRight")
    page.wait_for_selector(".contour .region")


def test_script_of_the_regions_is_loaded_by_the_first_use_only(person: Person) -> None:
    """The page as it opens does not pay for it, and a photo that was asked for once is not asked for again."""
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    opened(person)
    person.page.wait_for_timeout(500)
    assert not [url for url in asked if "regions" in url]
    for _ in range(2):
        person.presses("r")
        person.page.wait_for_selector(".contour .region")
        person.presses("r")
        person.page.wait_for_selector(".contour", state="detached")
    assert [url.rpartition("/")[2] for url in asked if "regions" in url] == ["regions.js", "regions"]


def test_refusal_is_said_in_words(person: Person, review: Review) -> None:
    """It stands where the legend would, and readers of the screen are told."""
    review.no_regions = "the file is larger than limits.file_size allows"
    person.expected = ("/regions",)
    opened(person).presses("r").hears(f"Regions: {review.no_regions}")
    assert person.page.inner_text(".overlay-label >> nth=0") == f"Regions: {review.no_regions}"
    assert person.page.query_selector(".contour") is None


def test_legend_fits_into_a_small_window(chromium: Browser, address: str) -> None:
    """It wraps, with the heat map beside it."""
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    person = record(context.new_page(), address)
    opened(person).presses("h", "r")
    person.page.wait_for_selector(".legend")
    left, _, width, _ = person.page.eval_on_selector(".overlay-label", _BOX)
    assert 0 <= left
    assert left + width <= 320
    checked(person)
    context.close()


def test_policy_page_without_a_change_shows_no_number_in_place_of_a_button(person: Person) -> None:
    """There is nothing to decide again."""
    person.opens("#/policy").sees("None: every photo keeps its verdict.")
    section = "section:has-text('Photos that change sides') > div"
    assert person.page.inner_text(section) == "None: every photo keeps its verdict."
