"""Milliseconds from the click to the first paint, for pages of a running local stack."""

import json
import os
import shutil
import site
import sys
from pathlib import Path
from statistics import median

from local.files import DEFAULT
from local.stack import Stack

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
site.addsitedir(str(Path(os.environ["MILEPOST_PLAYWRIGHT"]) / "lib" / PYTHON / "site-packages"))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from tests.browser.person import Person, sign_in  # noqa: E402

PAGES = ("Orders", "Notices", "Connections", "Figures", "Activity", "Today")
ROUNDS = 5
FIRST_PAINT = """() => new Promise(done => new PerformanceObserver((list, observer) => {
    observer.disconnect(); done(list.getEntries()[0].startTime);
}).observe({type: "paint", buffered: true}))"""
"""The browser's own measure: from the start of the navigation to its first paint."""


def painted(page: Page, name: str) -> float:
    """Click on a page of the menu; returns the milliseconds until its first paint."""
    link = page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True)
    address = link.get_attribute("href")
    link.click()
    page.wait_for_url(f"**{address}")
    page.wait_for_load_state()
    milliseconds: float = page.evaluate(FIRST_PAINT)
    return milliseconds


def main() -> None:
    stack = Stack(**json.loads((DEFAULT.state / "stack.json").read_text()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        person = Person.at(browser, stack)
        sign_in(person, "operator")
        rounds = [{name: painted(person.page, name) for name in PAGES} for _ in range(ROUNDS)]
    times = {name: median(one[name] for one in rounds) for name in PAGES}
    sys.stdout.write(json.dumps(times) + "\n")


if __name__ == "__main__":
    main()
