"""The repaired copy of a photo on the page: shown in its place, beside it, asked for, and refused in words."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from browser.conftest import SMALL, Person, checked, record
from browser.test_accessibility import RULES
from harness.review_server import Photo, Review, library

PLACE = "structuredClone(document.querySelector('culld-photo, culld-compare').place)"


@pytest.fixture
def review() -> Review:
    """A library in which one dark photo has a copy; it is listed first, and alone by its defect."""
    found = Review(library(32, SMALL), enhance="ask")
    copied(found).end_copy("made", "it is better")
    return found


def copied(review: Review) -> Photo:
    """Return the newest dark photo."""
    return max((each for each in review.photos if each.scene.fault == "under"), key=lambda each: each.taken)


def opened(person: Person, review: Review) -> Person:
    """Open the view of the dark photo."""
    person.opens(f"#/photo/{copied(review).id}").sees("Repaired copy")
    person.page.wait_for_selector("culld-photo .photos img")
    return person


def shown(person: Person, *parts: str) -> None:
    """Wait until the preview in view has an address with these parts, and is there."""
    person.page.wait_for_function(
        "(parts) => { const image = document.querySelector('culld-photo .photos img');"
        " return image?.complete && image.naturalWidth && parts.every((part) => image.src.includes(part)); }",
        arg=list(parts),
    )


def test_copy_is_shown_in_the_place_of_the_photo_and_back(person: Person, review: Review) -> None:
    """Copy is shown in the place of the photo, and back, with a label, and told to readers of the screen."""
    photo = copied(review)
    opened(person, review).presses("b").hears("the repaired copy. B shows the photo again.")
    shown(person, "copy=1")
    assert person.page.inner_text(".overlay-label >> nth=0") == f"Repaired copy: {photo.copy and photo.copy['name']}"
    assert "repaired copy" in str(person.page.get_attribute(".stage", "aria-label"))
    assert "repaired copy" in str(person.page.get_attribute(".photos img", "alt"))
    person.presses("b").hears("the photo.")
    shown(person, f"/{photo.id}/preview")
    assert person.page.inner_text(".overlay-label >> nth=0") == ""
    assert "repaired copy" not in str(person.page.get_attribute(".stage", "aria-label"))
    assert not review.wishes


def test_backslash_does_the_same_and_zoom_and_place_stay(person: Person, review: Review) -> None:
    """Backslash does the same, and zoom and place stay."""
    opened(person, review).presses("z", "+", "Control+ArrowRight")
    place = person.page.evaluate(PLACE)
    transform = person.page.eval_on_selector(".sheet", "({style}) => style.transform")
    person.presses("\\")
    shown(person, "copy=1")
    assert person.page.evaluate(PLACE) == place
    assert person.page.eval_on_selector(".sheet", "({style}) => style.transform") == transform


def test_copy_is_left_when_another_photo_comes(person: Person, review: Review) -> None:
    """Copy is left when another photo comes."""
    opened(person, review).presses("b")
    shown(person, "copy=1")
    person.presses("ArrowRight")
    shown(person, "/preview")
    assert "copy=1" not in str(person.page.get_attribute("culld-photo .photos img", "src"))
    person.presses("ArrowLeft")
    shown(person, f"/{copied(review).id}/preview")
    assert "copy=1" not in str(person.page.get_attribute("culld-photo .photos img", "src"))


def test_photo_and_copy_are_beside_each_other_with_the_same_zoom(person: Person, review: Review) -> None:
    """Photo and copy are beside each other with the same zoom, also after the page is loaded again."""
    opened(person, review).presses("z", "Control+ArrowRight")
    place = person.page.evaluate(PLACE)
    person.presses("Shift+B")
    person.page.wait_for_selector("culld-compare .photos img[src*='copy=1']")
    assert person.page.evaluate(PLACE) == place
    assert person.page.locator("culld-compare .pane.zoomed").count() == 2
    heads = person.page.eval_on_selector_all("culld-compare header", "all => all.map((each) => each.textContent)")
    assert "repaired copy" not in heads[0]
    assert heads[1].endswith("repaired copy")
    labels = person.page.eval_on_selector_all("culld-compare .stage", "all => all.map((each) => each.ariaLabel)")
    assert labels[1].endswith(".enhanced.jpg: repaired copy")
    person.presses("Control+ArrowLeft")
    transforms = person.page.eval_on_selector_all(
        "culld-compare .sheet", "all => all.map(({style}) => style.transform)"
    )
    assert transforms[0] == transforms[1]
    person.page.reload()
    person.page.wait_for_selector("culld-compare .photos img[src*='copy=1']")
    person.presses("Shift+B").page.wait_for_selector("culld-photo")


def test_arrows_go_from_photo_to_copy_and_answers_are_about_the_photo(person: Person, review: Review) -> None:
    """Arrows go from photo to copy, and answers are about the photo."""
    photo = copied(review)
    opened(person, review).presses("Shift+B").page.wait_for_selector("culld-compare .photos img[src*='copy=1']")
    person.presses("ArrowRight")
    assert "repaired copy" in str(person.page.evaluate("document.activeElement.ariaLabel"))
    person.presses("x").settled()
    assert photo.state in {"confirmed", "tag confirmed"}


def test_copy_is_asked_for_and_shown_when_it_is_made(person: Person, review: Review) -> None:
    """Copy is asked for, and shown when it is made."""
    photo = copied(review)
    photo.copy = None
    opened(person, review).presses("b").hears("is asked for").settled()
    assert [(wish["kind"], wish["items"]) for wish in review.wishes.values()] == [
        ("enhance", [{"decision": photo.id, "state": photo.state}])
    ]
    person.presses("b").hears("not ready yet")
    assert len(review.wishes) == 1
    photo.end_copy("made", "it is better")
    person.hears("the repaired copy. B shows the photo again.")
    shown(person, "copy=1")


def test_copy_that_is_ready_later_is_only_named(person: Person, review: Review) -> None:
    """Copy that is ready when another photo is in view is only named."""
    photo = copied(review)
    photo.copy = None
    opened(person, review).presses("b", "ArrowRight").hears("is asked for").settled()
    photo.end_copy("made", "it is better")
    person.hears(f"The repaired copy of {photo.name} is ready")
    assert "copy=1" not in str(person.page.get_attribute("culld-photo .photos img", "src"))


def test_reason_for_no_copy_is_told_and_the_next_key_asks_again(person: Person, review: Review) -> None:
    """Reason for no copy is told, and the next key asks again."""
    photo = copied(review)
    photo.end_copy("none", "it would not be better")
    opened(person, review).presses("b").hears("has no repaired copy: it would not be better. B asks again.")
    assert not review.wishes
    person.presses("b").hears("is asked for").settled()
    photo.end_copy("failed", "it cannot be read")
    person.hears("has no repaired copy: it cannot be read.")


def test_policy_that_makes_no_copies_is_named(person: Person, review: Review) -> None:
    """Policy that makes no copies is named, and nothing is wished; a copy that is there is shown."""
    review.enhance = "never"
    photo = copied(review)
    photo.copy = None
    person.opens(f"#/photo/{photo.id}").presses("b").hears("set policy.enhance: ask")
    person.presses("Shift+B")
    assert not review.wishes
    assert person.page.query_selector("culld-photo")
    photo.end_copy("made", "it is better")
    person.presses("b")
    shown(person, "copy=1")


def test_refusal_of_the_daemon_is_shown_in_words(person: Person, review: Review) -> None:
    """Refusal of the daemon is shown in words."""
    photo = copied(review)
    photo.copy = None
    review.running = False
    opened(person, review).presses("b").hears("it waits until the daemon runs")
    person.page.wait_for_function("() => JSON.parse(localStorage['culld.open'])[0].sent")
    (key,) = review.wishes
    note = "The configuration no longer watches photos."
    review.ended[key] = [{"decision": photo.id, "state": "failed", "note": note, "now": photo.id}]
    person.sees(note)


def test_copy_that_is_not_there_any_more_is_asked_for_again(person: Person, review: Review) -> None:
    """Copy that is not there any more is asked for again, and the photo stays in view."""
    person.expected = ("status of 404",)
    opened(person, review)
    person.page.route("**/preview?*copy=1*", lambda route: route.fulfill(status=404))
    person.presses("b").hears("is asked for").settled()
    assert [wish["kind"] for wish in review.wishes.values()] == ["enhance"]
    shown(person, f"/{copied(review).id}/preview")


def test_panel_tells_of_the_copy_and_its_button_shows_it(person: Person, review: Review) -> None:
    """Panel tells of the copy, and its button shows it, also from the grid."""
    photo = copied(review)
    person.opens("#/grid?defect=under&order=newest").sees("made: it is better")
    assert person.photo == photo.name
    person.page.get_by_role("button", name=f"Show {photo.copy and photo.copy['name']}").press("Enter")
    shown(person, "copy=1")


def test_overlays_are_those_of_the_copy(person: Person, review: Review) -> None:
    """Overlays are those of the copy."""
    asked: list[str] = []
    person.page.on("request", lambda request: "/heat" in request.url and asked.append(request.url))
    opened(person, review).presses("b")
    shown(person, "copy=1")
    person.presses("o").page.wait_for_selector("culld-photo .layer")
    assert [url for url in asked if "clipping" in url and "copy=1" in url]
    assert not [url for url in asked if "clipping" in url and "copy=1" not in url]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
@pytest.mark.parametrize("key", ["b", "Shift+B"])
def test_axe_finds_nothing(chromium: Browser, address: str, review: Review, key: str, scheme: str, width: int) -> None:
    """Axe finds nothing."""
    context = chromium.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    person = record(context.new_page(), address)
    person.opens(f"#/photo/{copied(review).id}").presses(key)
    person.page.wait_for_selector(".photos img[src*='copy=1']")
    person.page.wait_for_timeout(300)
    found = Axe().run(person.page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert person.page.evaluate("document.documentElement.scrollWidth") <= width
    checked(person)
    context.close()
