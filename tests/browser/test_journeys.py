"""Journeys by keyboard: the mouse is never touched."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import BrowserContext

from browser.conftest import Person, checked, record
from harness.review_server import THRESHOLDS, Photo, Review


def kinds(review: Review) -> list[str]:
    """Return the kinds of the wishes that came, in order."""
    return [wish["kind"] for wish in review.wishes.values()]


def states(review: Review) -> dict[str, str]:
    """Return the state of each photo by its name."""
    return {photo.name: photo.state for photo in review.photos}


def test_reject_is_right_and_the_next_photo_comes(person: Person, review: Review) -> None:
    """Reject is right and the next photo comes."""
    first = person.opens().photo
    person.presses("x").hears("1 of").settled()
    assert states(review)[first] in {"confirmed", "tag confirmed"}
    assert person.presses("ArrowRight").focus() == "DIV"
    assert person.page.get_attribute(".tile.here", "aria-colindex") == "3"


def test_wrong_reject_comes_back_and_undo_takes_it_away_again(person: Person, review: Review) -> None:
    """Wrong reject comes back and undo takes it away again."""
    person.opens().presses("e")
    name = person.photo
    before = states(review)[name]
    person.presses("p").hears("Undo: Control+Z").settled()
    assert states(review)[name] in {"restored", "untagged"}
    person.presses("Control+z").hears("Undone: 1 photo").settled()
    assert states(review)[name] == before
    person.presses("Control+Shift+z").hears("Done again").settled()
    assert states(review)[name] in {"restored", "untagged"}


def test_undo_works_after_the_page_is_opened_again(person: Person, review: Review) -> None:
    """Undo works after the page is opened again."""
    before = states(review)
    person.opens().presses("x", "p", "x").settled()
    assert states(review) != before
    person.page.reload()
    person.rests()
    person.presses("Control+z", "Control+z", "Control+z").settled()
    assert states(review) == before


def test_brought_back_from_confirmed_returns_to_confirmed(person: Person, review: Review) -> None:
    """Brought back from confirmed returns to confirmed."""
    person.opens("#/grid?verdict=rejected").presses("x").settled()
    name = next(photo.name for photo in review.photos if photo.state == "confirmed")
    person.presses("ArrowLeft", "p").settled()
    assert states(review)[name] == "restored"
    person.presses("Control+z").settled()
    person.page.wait_for_timeout(100)
    person.settled()
    assert states(review)[name] == "confirmed"


def test_answer_is_taken_back(person: Person, review: Review) -> None:
    """Answer is taken back."""
    before = states(review)
    person.opens().presses("x").settled().presses("ArrowLeft", "u").settled()
    assert states(review) == before
    assert kinds(review) == ["confirm", "withdraw"]


def test_selection_is_answered_with_its_number_in_the_button(person: Person, review: Review) -> None:
    """Selection is answered with its number in the button."""
    person.opens().presses("Shift+ArrowRight", "Shift+ArrowRight")
    assert person.page.inner_text("#b-confirm .text") == "Right: 3 photos"
    person.presses("x").hears("3 photos").settled()
    (wish,) = review.wishes.values()
    assert wish["seen_count"] == len(wish["items"]) == 3


def test_everything_of_the_filter_is_selected_by_number(person: Person, review: Review) -> None:
    """Everything of the filter is selected by number."""
    person.opens("#/grid?defect=over").presses("Control+a").hears("selected")
    count = int(person.page.inner_text("#b-confirm .text").split()[1])
    person.presses("x").settled()
    (wish,) = review.wishes.values()
    assert {item["decision"] for item in wish["items"]} == {
        photo.id for photo in review.photos if photo.scores["over"] >= 0.6
    }
    assert count == len(wish["items"])


def test_kept_photo_is_refused_in_words(person: Person, review: Review) -> None:
    """Kept photo is refused in words."""
    person.opens("#/grid?kept=1&verdict=kept").presses("x").hears("nothing to do, it is kept")
    assert not review.wishes


def test_person_rejects_a_kept_photo_and_undoes_it(person: Person, review: Review) -> None:
    """Person rejects a kept photo and undoes it."""
    person.opens("#/grid?kept=1&verdict=kept").presses("Shift+X").settled()
    assert kinds(review) == ["reject"]
    person.presses("Control+z").settled()
    assert kinds(review) == ["reject", "restore"]


def test_best_of_a_burst_stays_and_the_rest_may_go(person: Person, review: Review) -> None:
    """Best of a burst stays and the rest may go."""
    person.opens("#/grid?order=oldest").presses("e", "Shift+P").hears("of the burst may go").settled()
    burst = [photo for photo in review.photos if photo.burst]
    assert {photo.state for photo in burst} <= {"restored", "untagged", "confirmed", "kept", "tagged"}
    assert "rejected" not in {photo.state for photo in burst}
    person.presses("Control+z").settled()
    assert "rejected" in {photo.state for photo in burst}


def test_zoom_keeps_its_place_from_photo_to_photo(person: Person) -> None:
    """Zoom keeps its place from photo to photo."""
    person.opens().presses("e").page.wait_for_selector("culld-photo .photos img")
    person.presses("z").page.wait_for_selector(".pane.zoomed")
    person.presses("Control+ArrowRight", "Control+ArrowDown")
    place = person.page.evaluate("structuredClone(document.querySelector('culld-photo').place)")
    person.presses("ArrowRight")
    assert person.page.evaluate("structuredClone(document.querySelector('culld-photo').place)") == place
    person.presses("z")
    assert person.page.query_selector(".pane.zoomed") is None


def test_compare_zooms_together_and_a_held_photo_stays(person: Person) -> None:
    """Compare zooms together and a held photo stays."""
    person.opens().presses("c")
    person.page.wait_for_selector("culld-compare .stage")
    person.presses("z")
    person.page.wait_for_function("() => document.querySelectorAll('.pane.zoomed').length === 2")
    names = person.page.eval_on_selector_all("culld-compare .name", "all => all.map((each) => each.textContent)")
    person.presses("Tab", "Enter", "ArrowRight")
    person.page.wait_for_function(
        "(old) => document.querySelectorAll('culld-compare .name')[1].textContent !== old", arg=names[1]
    )
    assert person.page.inner_text("culld-compare .name >> nth=0") == names[0]


def test_answer_in_compare_is_about_the_pane_with_the_focus(person: Person, review: Review) -> None:
    """Answer in compare is about the pane with the focus."""
    person.opens("#/grid?verdict=rejected").presses("Shift+ArrowRight", "Shift+ArrowRight", "c")
    person.page.wait_for_selector("culld-compare .stage")
    assert person.page.locator("culld-compare .stage").count() == 3
    person.presses("x").settled()
    (wish,) = review.wishes.values()
    assert len(wish["items"]) == 1


def test_pane_is_moved_alone(person: Person) -> None:
    """Pane is moved alone."""
    person.opens().presses("c")
    person.page.wait_for_selector("culld-compare .stage")
    person.presses("z", "Control+Shift+ArrowRight")
    shifts = person.page.evaluate("document.querySelector('culld-compare').panes.map(({picture}) => picture.shift.x)")
    assert shifts[0] > 0
    assert shifts[1] == 0


def test_survey_shows_the_kept_frames_too(person: Person, review: Review) -> None:
    """Survey shows the kept frames too."""
    person.opens("#/grid?order=oldest").presses("n")
    person.page.wait_for_selector("culld-survey .frame")
    assert person.page.locator("culld-survey .frame").count() == sum(bool(photo.burst) for photo in review.photos)
    person.presses("ArrowRight", "ArrowRight").presses("Enter")


def test_frames_of_a_burst_are_told_apart_in_words(person: Person, review: Review) -> None:
    """Frames of a burst are told apart in words: in the survey, in compare, and for readers of the screen in full."""
    person.opens("#/grid?order=oldest").presses("n")
    person.page.wait_for_selector("culld-survey .best")
    names = person.page.eval_on_selector_all(
        "culld-survey .frame:has(.best) .name", "all => all.map((a) => a.textContent)"
    )
    assert names == ["IMG_4100.JPG"]
    assert person.page.inner_text("culld-survey .frame:has(.best) .best") == "best, by a little"
    lines = person.page.locator("culld-survey .line")
    assert lines.count() == sum(bool(photo.burst) for photo in review.photos) - 1
    assert lines.nth(0).inner_text().startswith("much softer 0.155 / 0.31")
    softer = person.page.get_by_role("button", name="much softer: 0.155 against 0.31 1/px")
    assert "IMG_4101.JPG" in softer.first.inner_text()

    person.presses("c").page.wait_for_selector("culld-compare .line")
    pane = person.page.get_attribute("culld-compare .stage >> nth=0", "aria-label")
    assert pane is not None
    assert "blur is past its reject threshold" in pane
    assert "IMG_4100.JPG is the best of 8 frames" in person.page.inner_text("#why")


def test_words_of_the_burst_follow_the_frames_in_compare(person: Person) -> None:
    """Words of the burst follow the frames in compare, and photos without a burst have none."""
    person.opens("#/grid?order=oldest&kept=1").presses("c")
    person.page.wait_for_selector("culld-compare .best")
    person.presses("ArrowRight")
    person.page.wait_for_function("() => document.querySelectorAll('culld-compare .line').length === 2")
    person.presses(*["ArrowRight"] * 7)
    person.page.wait_for_function("() => document.querySelectorAll('culld-compare .line').length === 0")


def test_back_button_returns_to_the_grid(person: Person) -> None:
    """Back button returns to the grid."""
    person.opens().presses("ArrowRight", "e", "ArrowRight")
    name = person.photo
    person.page.go_back()
    person.page.wait_for_selector("culld-grid .tile.here")
    person.rests()
    assert person.photo == name


def test_filter_by_keys_counts_and_turns_round(person: Person, review: Review) -> None:
    """Filter by keys counts and turns round."""
    person.opens("#/grid?verdict=rejected").presses("/")
    assert person.focus() == "SELECT"
    person.page.focus("#f-defect-0")
    person.presses("Space")
    blurred = sum(photo.state == "rejected" and photo.scores["blur"] >= 0.5 for photo in review.photos)
    person.sees(f"1 of {blurred}")
    assert person.page.evaluate("document.activeElement.id") == "f-defect-0"
    person.page.focus("#turn-defect")
    person.presses("Enter")
    rejected = sum(photo.state == "rejected" for photo in review.photos)
    person.sees(f"1 of {rejected - blurred}")


def far(photo: Photo) -> float:
    """Return the distance of the scores, as the index has them, to the nearest threshold, as a difference of logits."""
    edges = [(name, edge) for name in photo.scores for edge in THRESHOLDS[name].values() if edge is not None]
    return min(abs(logit(round(254 * photo.scores[name]) / 254) - logit(edge)) for name, edge in edges)


def logit(p: float) -> float:
    """Return the logit of a probability, which is kept away from 0 and 1."""
    cut = min(max(p, 0.001), 0.999)
    return math.log(cut / (1 - cut))


def test_borderline_photos_come_first(person: Person, review: Review) -> None:
    """Borderline photos come first."""
    person.opens("#/grid?order=border&verdict=rejected")
    rejected = [photo for photo in review.photos if photo.state == "rejected"]
    nearest = min(far(photo) for photo in rejected)
    first = person.photo
    assert far(next(photo for photo in rejected if photo.name == first)) == pytest.approx(nearest)


def test_stopped_daemon_is_told_and_the_wish_waits(person: Person, review: Review) -> None:
    """Stopped daemon is told and the wish waits."""
    review.running = False
    person.opens().sees("The daemon is stopped")
    person.presses("x").hears("waits until the daemon runs")
    person.page.wait_for_function("() => JSON.parse(localStorage['culld.open'])[0].sent")
    assert not review.ended
    review.running = True
    review.carry_out()
    person.settled()


def test_answers_to_one_photo_reach_the_server_in_order(person: Person, review: Review) -> None:
    """Answers to one photo reach the server in order."""
    review.running = False
    person.opens().presses("x", "Control+z")
    person.page.wait_for_function("() => JSON.parse(localStorage['culld.open']).length === 2")
    assert kinds(review) == ["confirm"]
    review.running = True
    review.carry_out()
    person.settled()
    assert kinds(review) == ["confirm", "withdraw"]


def test_photo_that_changed_meanwhile_is_refused_in_words(person: Person, review: Review) -> None:
    """Photo that changed meanwhile is refused in words."""
    person.expected = ("status of 410",)
    person.opens("#/grid?verdict=rejected")
    name = person.photo
    next(photo for photo in review.photos if photo.name == name).state = "restored"
    person.presses("x").sees(f"{name}: it is restored now.")
    assert not review.wishes
    person.settled()


def test_two_tabs_see_each_others_answers(person: Person, context: BrowserContext, review: Review) -> None:
    """Two tabs see each others answers."""
    other = record(context.new_page(), person.address)
    other.opens()
    person.opens().presses("x").settled()
    other.page.wait_for_selector(".tile[data-state$=confirmed]")
    other.presses("Control+z").settled()
    assert kinds(review) == ["confirm", "withdraw"]
    person.page.wait_for_function("() => !document.querySelector('.tile[data-state$=confirmed]')")
    checked(other)


def test_login_is_asked_for_and_the_code_of_the_address_is_enough(person: Person, review: Review) -> None:
    """Login is asked for and the code of the address is enough."""
    person.expected = ("status of 401",)
    review.logged_in = False
    person.opens().sees("Or enter the password")
    person.page.goto(person.address + "#login=let-me-in")
    person.page.reload()
    person.page.wait_for_selector(".tile.here")
    assert "let-me-in" not in person.page.url


def test_brake_is_released(person: Person, review: Review) -> None:
    """Brake is released."""
    review.brake = True
    person.opens()
    person.page.focus("#b-resume")
    person.presses("Enter").settled()
    assert kinds(review) == ["resume"]


def test_keys_are_changed_switched_off_and_never_taken_from_inputs(person: Person, review: Review) -> None:
    """Keys are changed switched off and never taken from inputs."""
    person.opens()
    person.page.focus("#b-settings")
    person.presses("Enter")
    person.page.focus("tr[data-action=confirm] button")
    person.page.keyboard.press("Enter")
    person.page.keyboard.press("y")
    person.page.wait_for_selector("tr[data-action=confirm] kbd:text-is('Y')")
    person.presses("Escape")
    person.page.focus(".tile.here")
    person.presses("x")
    assert not review.wishes
    assert person.page.get_attribute("#b-confirm", "aria-keyshortcuts") == "Y"
    person.presses("y").settled()
    assert kinds(review) == ["confirm"]
    person.page.focus("#order")
    person.presses("y")
    assert len(review.wishes) == 1


def test_keys_without_control_can_be_switched_off(person: Person, review: Review) -> None:
    """Keys without control can be switched off."""
    person.opens()
    person.page.evaluate("localStorage.setItem('culld.settings', JSON.stringify({letters: false}))")
    person.page.reload()
    person.rests()
    person.presses("x", "p", "Shift+X")
    assert not review.wishes
    person.presses("ArrowRight", "Control+z").hears("Nothing to undo")


@pytest.mark.parametrize("page", ["policy", "report"])
def test_pages_are_reached_and_left_by_keys(person: Person, page: str) -> None:
    """Pages are reached and left by keys."""
    person.opens()
    person.page.focus(f"#n-{page}")
    person.presses("Enter")
    person.page.wait_for_selector(f"culld-{page} h1")
    person.page.go_back()
    person.page.wait_for_selector(".tile.here")


def test_policy_shows_who_changes_sides(person: Person) -> None:
    """Policy shows who changes sides."""
    person.opens("#/policy")
    person.page.focus("#blur-reject")
    person.presses("Home", *["ArrowRight"] * 3)
    person.page.wait_for_selector("culld-policy .strip .frame")
    assert "reject: 0.0" in person.page.input_value("culld-policy textarea")


def test_photos_are_decided_again_in_the_states_that_are_shown(person: Person, review: Review) -> None:
    """Photos are decided again in the states that are shown."""
    photo = next(photo for photo in review.photos if photo.state == "tagged")
    answer = {"would_move": 1, "would_come_back": 0, "ids": {"move": [photo.id], "come_back": []}}
    person.page.route("**/simulate", lambda route: route.fulfill(json=answer))
    person.opens("#/policy").page.get_by_role("button", name="Decide again about 1 photo").press("Enter")
    person.page.wait_for_function("() => !JSON.parse(localStorage['culld.open'] ?? '[]').length")
    (wish,) = review.wishes.values()
    assert (wish["kind"], wish["items"]) == ("apply-policy", [{"decision": photo.id, "state": "tagged"}])
