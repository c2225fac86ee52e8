"""Calls the orders API: invokes its function directly, with AWS credentials.

IAM decides who may do that (``lambda:InvokeFunction``), so no token is needed; timelines and logs
name the caller's AWS identity. A refusal by the API becomes an error with the API's message.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import ConnectionError as NotReached
from botocore.exceptions import HTTPClientError

from cli.errors import CannotDo, Fault, WrongUse
from cli.stack import Stack, caller_name, make_client

LARGEST_PAGE: Final = 100
LARGEST_PAGE_OF_A_FILE: Final = 1_000
_WRONG_USE: Final = frozenset({400, 422})
_NO_SUCH_THING: Final = 404
_PASSING: Final = frozenset({500, 502, 503, 504})
"""Statuses after which the request may be repeated."""
_SMALLEST_PAGE: Final = 100
_WAITS: Final = (1.0, 4.0, 10.0)
"""Seconds before a page that could not be read is requested again."""
_KEY_HEADER: Final = "idempotency-key"
_PATIENT: Final = Config(
    connect_timeout=5,
    # The function itself gives up after 30 seconds.
    read_timeout=40,
    # What was sent may have been done: whether to repeat it is for the caller to say.
    retries={"mode": "standard", "total_max_attempts": 1},
)


class NoSuchThing(CannotDo):
    """The requested resource doesn't exist; the text names it."""


class OrdersApi:
    """The API of one stack.

    Every request raises ``WrongUse`` if it is invalid, ``NoSuchThing`` if the resource doesn't
    exist, and ``CannotDo`` for every other refusal.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._function = stack.output("OrdersApiFunction")
        self._client = make_client(
            stack.session, "lambda", endpoint_url=stack.endpoint_url, config=_PATIENT
        )
        self._person: str | None = None

    def get(self, path: str, **query: Any) -> Any:
        """The response to a GET; ``query`` values of None are left out, lists are repeated."""
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Make a request that changes something; with ``key``, it can safely be repeated."""
        return self.ask("POST", path, body=body, key=key)

    def delete(self, path: str, *, key: str | None = None, **query: Any) -> Any:
        return self.ask("DELETE", path, query=query, key=key)

    def pages(
        self,
        path: str,
        *,
        items: str,
        resume_by: str,
        most: int | None,
        largest: int = LARGEST_PAGE,
        **query: Any,
    ) -> Iterator[Mapping[str, Any]]:
        """The pages of a list, until the requested number of ``items`` has been read.

        :param resume_by: the parameter that takes a page's ``next``
        :param most: how many items are wanted; None for all
        :param largest: how many the API gives on one page
        """
        missing, following = most, None
        while True:
            limit = largest if missing is None else min(missing, largest)
            page = self.get(path, limit=limit, **{resume_by: following}, **query)
            yield page
            following = page["next"]
            if missing is not None:
                missing -= len(page[items])
            if following is None or missing == 0:
                return

    def rows(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list of any length, read in pages of a thousand.

        :raises CannotDo: when it breaks off; the text says after which row
        """
        asked: dict[str, Any] = dict(query)
        number, last = 0, None
        while True:
            try:
                answer = self._page_of_rows(path, asked)
            except CannotDo as why:
                if last is None:
                    raise
                raise CannotDo(
                    f"The list ended early, after {number:,} rows; the last one "
                    f"is {last}. The output is incomplete. {why}"
                ) from None
            for row in map(json.loads, filter(None, answer["body"].split("\n"))):
                number, last = number + 1, row.get("id")
                yield row
            link = answer["headers"].get("link")
            if link is None:
                return
            asked = {**parse_qs(urlsplit(link.partition(">")[0].removeprefix("<")).query)}

    def _page_of_rows(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """A page of a list as JSON Lines.

        A page that takes the function longer than it may run is tried again with half as many rows,
        after a while: a long list shouldn't be lost for one page of it.
        """
        limit = LARGEST_PAGE_OF_A_FILE
        for seconds in _WAITS:
            page = self._try_page(path, {**query, "limit": limit})
            if not isinstance(page, CannotDo):
                return page
            limit = max(_SMALLEST_PAGE, limit // 2)
            time.sleep(seconds)
        page = self._try_page(path, {**query, "limit": limit})
        if isinstance(page, CannotDo):
            raise page
        return page

    def _try_page(self, path: str, query: Mapping[str, Any]) -> dict[str, Any] | CannotDo:
        """The page; or the reason why it can't be read, if another attempt may succeed."""
        event = self._event("GET", path, query=query, body=None, key=None)
        event["headers"]["accept"] = "application/jsonl"
        try:
            answer = self._answer(event)
        except CannotDo as error:
            return error
        except (HTTPClientError, NotReached) as error:
            return CannotDo(f"The orders API doesn't respond ({type(error).__name__}).")
        status = answer["statusCode"]
        if status < 400:
            return answer
        fault = fault_of(status, json.loads(answer["body"]))
        if status in _PASSING and isinstance(fault, CannotDo):
            return fault
        raise fault

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> Any:
        """The JSON of the response; None if it has none."""
        event = self._event(method, path, query=query or {}, body=body, key=key)
        said = self._answer(event)
        content = json.loads(said["body"]) if said.get("body") else None
        if said["statusCode"] >= 400:
            raise fault_of(said["statusCode"], content or {}, key=key)
        return content

    def _answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._client.invoke(
            FunctionName=self._function, Payload=json.dumps(event, ensure_ascii=False).encode()
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            kind = str(said.get("errorType", "no reason"))
            # The message of HandlerFailed is the class and the place of what was raised.
            why = str(said.get("errorMessage")) if kind == "HandlerFailed" else kind
            raise CannotDo(
                f"The orders API failed ({why}): the log group of {self._function} says why."
            )
        return said

    def _event(
        self, method: str, path: str, *, query: Mapping[str, Any], body: Any, key: str | None
    ) -> dict[str, Any]:
        """A request in the form in which an HTTP API passes it to the function (payload format
        2.0).
        """
        asked = {name: _texts(value) for name, value in query.items() if value not in (None, [])}
        headers = {"content-type": "application/json"}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            # An HTTP API decodes every escape of a path but that of the percent sign.
            "rawPath": path.replace("%", "%25"),
            "rawQueryString": urlencode(asked, doseq=True),
            "queryStringParameters": {name: ",".join(texts) for name, texts in asked.items()},
            "headers": headers | ({_KEY_HEADER: key} if key else {}),
            "requestContext": {
                "stage": "$default",
                "requestId": str(uuid4()),
                "http": {"method": method, "path": path},
                "authorizer": {"jwt": {"claims": self._claims(), "scopes": None}},
            },
            "isBase64Encoded": False,
        }
        return event | ({} if body is None else {"body": json.dumps(body, ensure_ascii=False)})

    def _claims(self) -> dict[str, str]:
        if self._person is None:
            self._person = caller_name(self._stack)
        return {
            "sub": f"aws:{self._person}",
            "username": self._person,
            "cognito:groups": "[operator]",
        }


def fault_of(status: int, problem: Mapping[str, Any], *, key: str | None = None) -> Fault:
    """The command's error for an error response of the API (problem+json).

    :param key: the idempotency key to repeat it with, if it has one
    """
    lines = [
        str(problem.get("detail") or problem.get("title") or f"The API responded with {status}.")
    ]
    lines += [
        _one_fault(one)
        for one in problem.get("errors") or ()
        if not _is_same(lines[0], one.get("what", ""))
    ]
    if key and status in (500, 502, 503):
        lines.append(f"To repeat it safely: --key {key}")
    text = "\n".join(lines)
    if status in _WRONG_USE:
        return WrongUse(text)
    return NoSuchThing(text) if status == _NO_SUCH_THING else CannotDo(text)


def _is_same(one: str, other: str) -> bool:
    return one.strip(". ").casefold() == other.strip(". ").casefold()


def _one_fault(fault: Mapping[str, Any]) -> str:
    name = re.sub(r"^(?:query|body|path)\.", "", str(fault.get("where", "")))
    return f"  {name}: {fault.get('what', '')}" if name else f"  {fault.get('what', '')}"


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return [str(one) for one in values]
