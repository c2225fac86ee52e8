"""A browser without scripts: stores cookies, parses forms, and follows redirects."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from local.stack import Stack

_REDIRECTS: Final = (302, 303)
_MOST_REDIRECTS: Final = 10
_HIDDEN: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Shown:
    """A page, and its address."""

    status: int
    address: str
    text: str
    headers: Mapping[str, str]

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of its forms."""
        return {name: html.unescape(value) for name, value in _HIDDEN.findall(self.text)}

    @property
    def posts_to(self) -> list[str]:
        """The addresses of its forms that change something."""
        forms = re.findall(r"<form\b[^>]*>", self.text)
        changing = [one for one in forms if 'method="post"' in one.lower()]
        return [found[1] for one in changing if (found := re.search(r'action="([^"]+)"', one))]


@dataclass
class Visitor:
    """A user of the console of the running stack."""

    stack: Stack
    cookies: dict[str, str] = field(default_factory=dict)
    _http: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False, timeout=40)
    )

    def sign_in(self, role: str) -> Shown:
        """Enter name and password on the user pool's page."""
        page = self.get("/orders")
        person = self.stack.people[role]
        entered = page.hidden | {name: person[name] for name in ("username", "password")}
        return self._ask("POST", urljoin(page.address, "/login"), entered)

    def get(self, path: str) -> Shown:
        return self._ask("GET", self.stack.console_url + path)

    def post(self, path: str, *, origin: str | None = None, **form: str) -> Shown:
        """Send a form, with the console's own origin unless another one is given."""
        parts = urlsplit(self.stack.console_url)
        own = f"{parts.scheme}://{parts.netloc}"
        return self._ask("POST", self.stack.console_url + path, form, origin=origin or own)

    def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None, *, origin: str = ""
    ) -> Shown:
        for _ in range(_MOST_REDIRECTS):
            headers = {"cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
            body = None
            if form is not None:
                headers |= {"content-type": "application/x-www-form-urlencoded"}
                headers |= {"origin": origin} if origin else {}
                body = urlencode(form).encode()
            answer = self._http.request(method, url, body=body, headers=headers, redirect=False)
            self._keep(answer.headers.getlist("set-cookie"))
            if answer.status not in _REDIRECTS:
                return Shown(answer.status, url, answer.data.decode(), answer.headers)
            url, method, form = urljoin(url, answer.headers["location"]), "GET", None
        raise AssertionError(f"Too many redirects, the last one to {url}")

    def _keep(self, cookies: list[str]) -> None:
        for text in cookies:
            for name, one in SimpleCookie(text).items():
                self.cookies.pop(name, None)
                if one["max-age"] != "0":
                    self.cookies[name] = one.value
