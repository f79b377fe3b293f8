"""Every key of the help is pressed in every view."""

from __future__ import annotations

import pytest

from browser.conftest import Person

VIEWS = ("grid", "photo", "compare", "survey", "policy", "report")
_ACTIONS = """() => [...document.querySelectorAll('dialog tr')].map((row) =>
  [row.dataset.action, [...row.querySelectorAll('kbd')].map((key) => key.textContent)])"""


def pressed(key: str) -> str:
    """Return the name of a key as the browser's driver wants it."""
    names = {"Left": "ArrowLeft", "Right": "ArrowRight", "Up": "ArrowUp", "Down": "ArrowDown", "Esc": "Escape"}
    parts = ["+"] if key == "+" else key.split(" + ")
    return "+".join("Control" if part == "Ctrl" else names.get(part, part) for part in parts)


def all_keys(person: Person) -> dict[str, list[str]]:
    """Return the keys of every action, as the help shows them."""
    person.presses("?").page.wait_for_selector("dialog tr")
    found = dict(person.page.evaluate(_ACTIONS))
    person.presses("Escape")
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_every_key_does_something_and_leaves_the_focus(person: Person, view: str) -> None:
    """Every key does something and leaves the focus."""
    person.opens("#/grid?order=oldest")
    keys = all_keys(person)
    assert len(keys) > 40
    for action, names in keys.items():
        for name in names:
            person.page.evaluate("(view) => { location.hash = view; }", f"#/{view}?order=oldest")
            if view in {"photo", "compare", "survey"} and not person.page.query_selector(f"culld-{view}"):
                person.presses({"photo": "e", "compare": "c", "survey": "n"}[view])
                person.page.wait_for_selector(f"culld-{view}")
            person.presses(pressed(name))
            if person.page.query_selector("dialog[open]"):
                person.presses("Escape")
            assert person.page.query_selector("main > *"), f"{action} by {name} empties the page"


def test_every_key_has_a_button(person: Person) -> None:
    """Every key has a button."""
    person.opens()
    keys = all_keys(person)
    person.presses("?").page.wait_for_selector("dialog tr")
    assert person.page.locator("dialog tr button").count() == len(keys)


def test_no_key_has_two_actions(person: Person) -> None:
    """No key has two actions."""
    names = [name for keys in all_keys(person.opens()).values() for name in keys]
    assert len(names) == len(set(names))


def test_line_of_the_help_does_the_same_as_its_key(person: Person) -> None:
    """Line of the help does the same as its key."""
    person.opens().presses("?").page.wait_for_selector("dialog tr")
    person.page.focus("dialog tr[data-action=photo] button")
    person.presses("Enter")
    person.page.wait_for_selector("culld-photo")
