"""A user at a browser: opens pages, signs in, and records what the browser complains about."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

from local.stack import Stack

PATIENCE_MILLISECONDS = 60_000
"""How long a page may take on a machine with much else to do."""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1600, "height": 1000}


@dataclass
class Person:
    """A user's browser, without cookies of others."""

    page: Page
    stack: Stack
    complaints: list[str] = field(default_factory=list)
    """Errors on the console's pages: of scripts, of the content security policy, of a file."""

    @classmethod
    def at(cls, browser: Browser, stack: Stack, **options: Any) -> "Person":
        """Open a new browser for a user in Berlin."""
        settings = {"viewport": DESK, "timezone_id": "Europe/Berlin", "reduced_motion": "reduce"}
        context = browser.new_context(**settings | options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        person = cls(context.new_page(), stack)
        context.on("console", person._note)
        context.on("weberror", lambda error: person.complaints.append(str(error.error)))
        return person

    def open(self, path: str = "", *, status: int = 200) -> Response:
        """Open a page of the console, and check its status."""
        answer = self.page.goto(self.stack.console_url + path)
        assert answer is not None
        assert answer.status == status, self.page.inner_text("body")
        if status >= 400:
            self.complaints = [one for one in self.complaints if f"status of {status}" not in one]
        return answer

    @property
    def address(self) -> str:
        """The user's current path, without the console's address."""
        return self.page.url.removeprefix(self.stack.console_url)

    def sees(self, text: str) -> None:
        """Wait until the page contains this text."""
        expect(self.page.locator("main")).to_contain_text(text, timeout=PATIENCE_MILLISECONDS)

    def findings(self, **options: Any) -> list[str]:
        """The problems that axe finds on the current page."""
        options |= {"resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:200]}"
            for one in found
            for node in one["nodes"]
        ]

    @property
    def is_too_wide(self) -> bool:
        """Whether the page has to be scrolled sideways."""
        root = "document.documentElement"
        wide: bool = self.page.evaluate(f"{root}.scrollWidth > {root}.clientWidth")
        return wide

    def _note(self, message: ConsoleMessage) -> None:
        # The emulator's login page has no icon. Refusals by the policy may name no address.
        is_logins = message.location["url"].startswith(self.stack.aws_endpoint_url)
        if message.type in ("error", "warning") and not is_logins:
            self.complaints.append(f"{self.page.url}: {message.text}")


def sign_in(person: Person, role: str, path: str = "") -> None:
    """Open a page, follow the redirect to the user pool's login page, and enter name and
    password.
    """
    known = person.stack.people[role]
    person.page.goto(person.stack.console_url + path)
    person.page.locator("[name=username]").fill(known["username"])
    person.page.locator("[name=password]").fill(known["password"])
    person.page.locator("[name=password]").press("Enter")
    person.page.wait_for_url(lambda url: url == person.stack.console_url + path)
