"""At 100 % the own pixels of a photo are shown, also if its original is late, refused, or behind other pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Route

from browser.conftest import Person, checked, record
from harness.review_server import Photo, Review, served
from harness.scenes import Scene

SIZE = (3000, 2000)
COUNT = 8
FIRST = COUNT


@pytest.fixture
def review() -> Review:
    """A library of photos that have more pixels than their previews."""
    scene = Scene(3, "", 1.0, 0.0, SIZE)
    scores = {"blur": 0.6, "under": 0.1, "over": 0.1}
    return Review(
        [
            Photo(number, f"IMG_{number}.JPG", "all", "X-T5", 1_700_000_000 + number, scores, "tagged", "blur", scene)
            for number in range(1, COUNT + 1)
        ]
    )


@pytest.fixture
def address(review: Review) -> Iterator[str]:
    """The address of the page that shows the library."""
    with served(review) as found:
        yield found


@pytest.fixture
def person(context: BrowserContext, address: str) -> Iterator[Person]:
    """A person who looks at the first photo; refused pictures are expected."""
    person = record(context.new_page(), address)
    person.opens("#/photo/8").page.wait_for_function(
        "() => document.querySelector('.photos img')?.src.includes('preview')"
        " && document.querySelector('.photos img').complete"
    )
    yield person
    checked(person)


def refuse(person: Person, what: str) -> None:
    """Let the requests for a kind of picture fail."""
    person.page.route(f"**/{what}?*", lambda route: route.abort())


def hang(person: Person, what: str) -> list[Route]:
    """Never answer the requests for a kind of picture; the list of those that came."""
    held: list[Route] = []
    person.page.route(f"**/{what}?*", lambda route: held.append(route))  # noqa: PLW0108 (it wants a function)
    return held


def part(person: Person) -> str:
    """Return the address of the part that is shown."""
    person.page.wait_for_selector(".photos .part")
    return str(person.page.get_attribute(".photos .part", "src"))


def test_part_is_shown_while_the_original_does_not_come(person: Person) -> None:
    """Part is shown while the original does not come, follows what is in view, and the original replaces it."""
    held = hang(person, "original")
    person.presses("z")
    first = part(person)
    person.presses("Control+ArrowRight")
    person.page.wait_for_function("(old) => document.querySelector('.part').getAttribute('src') !== old", arg=first)
    assert len(held) == 1
    held[0].continue_()
    person.page.wait_for_selector(".photos .original")
    assert not person.page.query_selector(".photos .part")


def test_part_of_a_place_that_was_left_does_not_replace_the_next_one(person: Person) -> None:
    """Part of a place that was left, and comes just after the move, does not keep the part in view from coming."""
    refuse(person, "original")
    held = hang(person, "crop")
    person.presses("z")
    person.page.wait_for_function("() => document.querySelector('culld-photo').picture.cut")
    person.presses("Control+ArrowRight")
    held[0].continue_()
    person.page.unroute("**/crop?*")
    first = held[0].request.url.rpartition("/crop")[2]
    person.page.wait_for_function(
        "(old) => { const part = document.querySelector('.part'); return part && !part.src.endsWith(old); }", arg=first
    )


def test_part_shows_its_place_of_the_photo(person: Person) -> None:
    """Part shows its place of the photo: its box on the sheet is the one that the server has cut out."""
    refuse(person, "original")
    person.presses("z")
    box = dict(pair.split("=") for pair in part(person).split("?")[1].split("&"))
    style = person.page.eval_on_selector(
        ".part", "({style}) => [style.left, style.top, style.width, style.height].map(parseFloat)"
    )
    assert style == [float(box[name]) for name in "xywh"]
    assert person.page.eval_on_selector(".part", "each => [each.naturalWidth, each.naturalHeight]") == style[2:]


def test_part_that_fails_is_tried_again_and_then_named(person: Person) -> None:
    """Part that fails is tried again and then named; when what is in view moves, it is asked for once more."""
    refuse(person, "original")
    cuts: list[Route] = []
    person.page.route("**/crop?*", lambda route: (cuts.append(route), route.abort()))
    person.presses("z").sees("IMG_8.JPG cannot be shown sharp now. Move it to try again.")
    assert len({route.request.url for route in cuts}) < len(cuts)
    person.page.unroute("**/crop?*")
    person.presses("Control+ArrowRight")
    part(person)
    assert person.page.inner_text(".trouble") == ""


def test_original_is_given_up_when_another_photo_comes(person: Person) -> None:
    """Original is given up when another photo comes, and that of the photo in view is shown."""
    hang(person, "original")
    failed: list[str] = []
    person.page.on("requestfailed", lambda request: failed.append(request.url))
    person.presses("z")
    person.page.wait_for_function("() => document.querySelector('culld-photo').picture.original")
    person.page.unroute("**/original?*")
    person.presses("ArrowRight").page.wait_for_selector(".photos .original")
    assert "/7/original" in str(person.page.get_attribute(".photos .original", "src"))
    assert any("/8/original" in url for url in failed)


def test_pixels_of_the_original_are_freed_when_another_photo_comes(person: Person) -> None:
    """Pixels of the original are freed when another photo comes."""
    person.presses("z").page.wait_for_selector(".photos .original")
    old = person.page.evaluate_handle("() => document.querySelector('.photos .original')")
    person.presses("ArrowRight")
    person.page.wait_for_function("(old) => !old.getAttribute('src')", arg=old)


def test_original_does_not_wait_for_pictures_of_other_photos(
    context: BrowserContext, address: str, review: Review
) -> None:
    """Original does not wait for pictures of other photos, which take the few connections that a browser has."""
    review.holds = lambda what, number: what == "heat" or (what == "preview" and number != FIRST)
    person = record(context.new_page(), address)
    person.opens("#/photo/8").page.wait_for_function(
        "() => document.querySelector('.photos img')?.src.includes('preview')"
    )
    person.page.wait_for_timeout(600)  # the heat map is asked for after a moment
    person.presses("z").page.wait_for_selector(".photos .original")
    review.holds = lambda _what, _number: False
    person.presses("ArrowRight")
    person.page.wait_for_function("() => document.querySelector('.photos img').src.includes('/7/preview')")
    checked(person)
