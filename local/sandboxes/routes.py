"""Routes requests to the methods of a sandbox."""

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from local.sandboxes.request import Answer, Request

Handler: TypeAlias = Callable[..., Answer]


class NoRoute(LookupError):
    """No call has this path, or this method for it; ``status`` is 404 or 405."""

    def __init__(self, *, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Routes:
    """Calls such as ``GET /orders/{id}``, in the order in which they are matched."""

    def __init__(self, routes: Sequence[tuple[str, Handler]]) -> None:
        self._routes = [(*_compile(call), handler) for call, handler in routes]

    def answer(self, request: Request) -> Answer:
        """Passes the request, and the parameters of its path, to its handler.

        :raises NoRoute: when there is none
        """
        has_path = False
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return handler(request, *found.groups())
            has_path = has_path or bool(found)
        call = f"{request.method} {request.path}"
        raise NoRoute(status=405 if has_path else 404, message=f"Cannot {call}")


def _compile(call: str) -> tuple[str, re.Pattern[str]]:
    method, path = call.split(" ", 1)
    return method, re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(path)))
