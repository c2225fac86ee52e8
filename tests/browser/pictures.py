"""`make pictures`: saves the console's main pages after the demo's day to docs/pictures."""

import json
import os
import shutil
import site
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.files import ROOT
from local.stack import DemoLength, Stack, running_stack
from tests.e2e.waiting import wait_for

FOLDER = ROOT / "docs" / "pictures"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
site.addsitedir(str(Path(os.environ["MILEPOST_PLAYWRIGHT"]) / "lib" / PYTHON / "site-packages"))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from tests.browser.person import PHONE, Person, sign_in  # noqa: E402

DESK = {"width": 1200, "height": 760}
_DEMO_SECONDS = 300.0


@contextmanager
def stack_after_the_demo() -> Iterator[Stack]:
    """The running stack that MILEPOST_STACK_FILE names, or a new one whose demo has ended."""
    if named := os.environ.get("MILEPOST_STACK_FILE"):
        yield Stack(**json.loads(Path(named).read_text()))
        return
    with running_stack(demo=DemoLength.ONCE) as stack:
        wait_for(stack.demo_is_through, what="the demo", seconds=_DEMO_SECONDS)
        wait_for(
            lambda: any("How satisfied" in mail["subject"] for mail in stack.mails()),
            what="a customer to be asked how it was",
            seconds=_DEMO_SECONDS,
        )
        wait_for(lambda: has_slowdown(stack), what="forecasts", seconds=_DEMO_SECONDS)
        yield stack


def has_slowdown(stack: Stack) -> bool:
    """Whether forecasts and scorecards were made from the demo's history."""
    request = urllib.request.Request(
        f"{stack.api_url}/scorecards", headers={"authorization": f"Bearer {stack.tokens['viewer']}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return any(one["slowdowns"] for one in json.load(answer)["scorecards"])


def take(browser: Browser, stack: Stack) -> None:
    """A picture of each page, as an operator sees it."""
    person = Person.at(browser, stack, viewport=DESK, timezone_id="Australia/Melbourne")
    sign_in(person, "operator")
    for name, path in (
        ("today", ""),
        ("orders", "/orders"),
        ("figures", "/figures?connection=offergrid-home"),
        ("connections", "/connections"),
    ):
        person.open(path)
        person.page.screenshot(path=FOLDER / f"{name}.png")
    person.open("/figures/scorecards")
    person.page.screenshot(path=FOLDER / "scorecards.png")
    person.open(
        "/orders?connection=offergrid-business&sort=forecast&fields=customer,status,since,forecast,attention"
    )
    person.page.locator(".counts").evaluate("one => one.scrollIntoView()")
    person.page.screenshot(path=FOLDER / "forecasts.png")
    person.open("/orders?connection=offergrid-business&status=active&status=completed&reference=PP")
    person.page.locator("[data-row] a").first.click()
    person.page.wait_for_url("**/console/orders/*")
    person.page.screenshot(path=FOLDER / "order.png")
    person.page.emulate_media(color_scheme="dark")
    person.page.screenshot(path=FOLDER / "order-dark.png")
    person.page.emulate_media(color_scheme="light")
    person.page.set_viewport_size(PHONE)
    person.open()
    person.page.screenshot(path=FOLDER / "today-phone.png")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    with stack_after_the_demo() as stack, sync_playwright() as playwright:
        take(playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]), stack)


if __name__ == "__main__":
    main()
