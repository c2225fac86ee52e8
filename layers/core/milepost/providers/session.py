"""An authenticated provider session: headers, renewal of tokens, and rate limits."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from milepost.common.http_headers import read_retry_after
from milepost.connections.connection import Connection
from milepost.providers.base import Call, Http, PageRequest, Provider, Response, SignIn

DEFAULT_WAIT: Final = timedelta(minutes=1)


@dataclass(kw_only=True)
class Conversation:
    """Sends requests to one connection's provider. Signs in only when necessary."""

    connection: Connection
    provider: Provider
    credentials: Mapping[str, str]
    http: Http
    clock: Callable[[], datetime]
    _sign_in: SignIn | None = field(init=False, default=None)

    def url(self, path: str) -> str:
        """The URL of a path below the connection's base URL."""
        return self.connection.base_url.rstrip("/") + path

    def url_of(self, request: PageRequest) -> str:
        """The URL of a page."""
        query = f"?{urlencode(request.query)}" if request.query else ""
        return self.url(request.path) + query

    def fetch(self, request: PageRequest, *, headers: Mapping[str, str] | None = None) -> Response:
        """Fetch one page or one order.

        :raises SignInFailed: when the credentials are not accepted
        :raises FetchFailed: when there is no complete response
        """
        return self._ask("GET", self.url_of(request), headers=headers or {})

    def call(self, call: Call, *, key: str) -> Response:
        """Run an action, at most once for each idempotency key.

        :raises SignInFailed: when the credentials are not accepted
        :raises FetchFailed: when there is no complete response; the action may have run
        """
        headers = {"idempotency-key": key}
        body = None
        if call.body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(call.body).encode()
        return self._ask(call.method, self.url(call.path), headers=headers, body=body)

    def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        def send() -> Response:
            shown = self._signed_in()
            sent = {**shown.headers, **headers}
            asked = url
            if shown.query:
                asked += ("&" if "?" in url else "?") + urlencode(shown.query)
            return self.http.request(method, asked, headers=sent, body=body)

        response = send()
        if response.status == 401:
            # A token may be revoked before it expires; a second refusal is final.
            self._sign_in = None
            response = send()
        return response

    def _signed_in(self) -> SignIn:
        now = self.clock()
        if self._sign_in is None or (self._sign_in.valid_until or now) < now:
            self._sign_in = self.provider.sign_in(
                self.connection, self.credentials, http=self.http, now=now
            )
        return self._sign_in


def asked_to_wait(response: Response, now: datetime) -> timedelta:
    """How long the provider asks to wait (``Retry-After``, in seconds or as a date); default: a
    minute."""
    asked = read_retry_after(response.headers.get("retry-after"), now=now)
    return DEFAULT_WAIT if asked is None else asked


def is_rate_spent(response: Response) -> bool:
    """Whether the provider says that no requests are left for now (``X-RateLimit-Remaining``)."""
    try:
        return float(response.headers.get("x-ratelimit-remaining", "")) <= 0
    except ValueError:
        return False
