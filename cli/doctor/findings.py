"""The results of checks, and the data that checks can read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

from cli.api import OrdersApi
from cli.connections.stored_state import Stored, Stores, open_stores, read_stored
from cli.stack import Stack


class Level(StrEnum):
    """How serious it is: a failure has to be fixed, a warning should be looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check; ``advice`` says what to do about it."""

    level: Level
    about: str
    text: str
    advice: str | None = None


@dataclass(frozen=True)
class ExaminedStack:
    """A deployed stack; each part is read once, when a check first needs it."""

    stack: Stack
    now: datetime

    @cached_property
    def api(self) -> OrdersApi:
        return OrdersApi(self.stack)

    @cached_property
    def stores(self) -> Stores:
        return open_stores(self.stack)

    @cached_property
    def stored(self) -> Stored:
        return read_stored(self.stores)

    @cached_property
    def connections(self) -> list[Mapping[str, Any]]:
        """Every connection with its health, from the API."""
        found: list[Mapping[str, Any]] = self.api.get("/connections")["items"]
        return found

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """The stack's description from CloudFormation."""
        stacks = self.stack.client("cloudformation").describe_stacks(StackName=self.stack.name)
        described: Mapping[str, Any] = stacks["Stacks"][0]
        return described

    @cached_property
    def _resources(self) -> list[Mapping[str, Any]]:
        pages = self.stack.client("cloudformation").get_paginator("list_stack_resources")
        found = pages.paginate(StackName=self.stack.name)
        return [one for page in found for one in page["StackResourceSummaries"]]

    def resources(self, kind: str) -> dict[str, str]:
        """Physical ids of the stack's resources of a CloudFormation type, by logical id."""
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in self._resources
            if one["ResourceType"] == kind
        }


Check: TypeAlias = Callable[[ExaminedStack], Iterator[Finding]]


def ok(about: str, text: str) -> Finding:
    """Everything is OK."""
    return Finding(level=Level.OK, about=about, text=text)


def warning(about: str, text: str, advice: str) -> Finding:
    """Somebody should look at it."""
    return Finding(level=Level.WARN, about=about, text=text, advice=advice)


def failure(about: str, text: str, advice: str) -> Finding:
    """Something does not work, or soon won't."""
    return Finding(level=Level.FAIL, about=about, text=text, advice=advice)
