"""The orders API as an operator uses it: over HTTP, with a token, and with retries."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from local.stack import Stack

_TRIES: Final = 5
_BETWEEN_SECONDS: Final = 2.0
_CONFLICT: Final = 409


class Refused(Exception):
    """The API still failed after all retries; the text has its last response."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One user in the group ``operator``."""

    stack: Stack

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: str
    ) -> Any:
        """One request, repeated while it fails or conflicts with other changes.

        :param key: the idempotency key, where repeating it would do it twice
        :raises Refused: when it failed each time
        """
        url = f"{self.stack.api_url}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"authorization": f"Bearer {self.stack.tokens['operator']}"}
        headers |= {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        content = None if body is None else json.dumps(body).encode()
        said = ""
        for attempt in range(_TRIES):
            time.sleep(_BETWEEN_SECONDS if attempt else 0.0)
            request = urllib.request.Request(url, content, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                said = f"{error.code} {error.read().decode(errors='replace')[:300]}"
                if error.code < 500 and error.code != _CONFLICT:
                    break
            except OSError as error:
                said = repr(error)
        raise Refused(f"{method} {path}: {said}")
