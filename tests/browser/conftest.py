"""A browser for the review page: the system's Chromium, with everything that it complains about recorded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, Route, sync_playwright

from harness.review_server import Review, library, served

CHROMIUM = os.environ.get("CULLD_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
SMALL = (600, 400)
_CSP_REPORTS = """
window.cspReports = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  window.cspReports.push(violatedDirective + " " + blockedURI));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; tests skip loudly where there is none."""
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip(f"NO BROWSER: the review page is not tested; {CHROMIUM} is missing (CULLD_CHROMIUM names another)")
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=root)
        yield browser
        browser.close()


@dataclass
class Person:
    """A person at the page, with a keyboard and no mouse."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def opens(self, path: str = "") -> Person:
        """Open the page, and wait until the first photo has the focus."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector("main > *")
        self.rests()
        return self

    def rests(self) -> None:
        """Wait until the page asks for nothing, and the answers have ended."""
        self.page.wait_for_function("() => document.activeElement !== document.body")
        self.page.wait_for_function("() => JSON.parse(localStorage['culld.open'] ?? '[]').every((wish) => wish.sent) ")

    def presses(self, *keys: str) -> Person:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => done(true)))")
            assert self.focus() != "BODY", f"the focus is lost after {key}"
        return self

    def focus(self) -> str:
        """Return the name of the element with the focus."""
        name: str = self.page.evaluate("document.activeElement.tagName")
        return name

    def hears(self, text: str) -> Person:
        """Wait until a reader of the screen was told this."""
        self.page.wait_for_function("(text) => document.querySelector('#told').textContent.includes(text)", arg=text)
        return self

    def sees(self, text: str) -> Person:
        """Wait until a text is on the page."""
        self.page.get_by_text(text).first.wait_for()
        return self

    @property
    def photo(self) -> str:
        """The name of the photo in view."""
        tile = "document.querySelector('.tile.here .name')?.textContent"
        found = f"(document.querySelector('.stage')?.ariaLabel ?? {tile} ?? '')"
        self.page.wait_for_function(f"() => {found}.includes('IMG_')")
        return str(self.page.evaluate(found)).split(":")[0]

    def settled(self) -> Person:
        """Wait until every answer was carried out."""
        self.page.wait_for_function("() => JSON.parse(localStorage['culld.open'] ?? '[]').length === 0")
        return self


def record(page: Page, address: str) -> Person:
    """Note everything that the browser complains about, and refuse requests to other hosts."""
    person = Person(page, address)

    def noted(message: ConsoleMessage) -> None:
        if not message.text.startswith("Failed to load resource"):  # `answered` has more about it
            person.complaints.append(f"console: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            request = response.request
            person.complaints.append(f"status of {response.status}: {request.method} {request.url} {request.post_data}")

    def guarded(route: Route) -> None:
        if urlsplit(route.request.url).netloc != urlsplit(address).netloc:
            person.complaints.append(f"request elsewhere: {route.request.url}")
            route.abort()
        else:
            route.continue_()

    page.on("console", noted)
    page.on("response", answered)
    page.on("pageerror", lambda error: person.complaints.append(f"error: {error}"))
    page.route("**/*", guarded)
    page.add_init_script(_CSP_REPORTS)
    return person


def checked(person: Person) -> None:
    """Fail if the browser complained about anything that was not expected."""
    person.complaints += person.page.evaluate("window.cspReports ?? []")
    found = [each for each in person.complaints if not any(text in each for text in person.expected)]
    assert not found


@pytest.fixture
def review() -> Review:
    """A library of drawn photos."""
    return Review(library(32, SMALL))


@pytest.fixture
def address(review: Review) -> Iterator[str]:
    """The address of the page that shows the library."""
    with served(review) as found:
        yield found


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that has not seen the page before."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, color_scheme="dark")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def person(context: BrowserContext, address: str) -> Iterator[Person]:
    """A person at the page, who must not make the browser complain."""
    person = record(context.new_page(), address)
    yield person
    checked(person)
