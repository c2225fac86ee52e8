"""Sends a test webhook over the internet, as a provider does. Short: one request."""

from collections.abc import Mapping
from typing import Final

import urllib3

from milepost.webhooks.send_test import NotReached

_TIMEOUT: Final = urllib3.Timeout(connect=3, read=8)


class HttpSender:
    """Implements ``send_test.Sender``."""

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        try:
            answer = urllib3.request(
                "POST",
                url,
                body=body,
                headers=headers,
                timeout=_TIMEOUT,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise NotReached(f"{url} could not be reached ({type(error).__name__})") from None
        return answer.status
