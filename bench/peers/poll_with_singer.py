"""The same orders by a tap of the Singer SDK, incremental by their last change."""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterable

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import JSONPathPaginator

logging.disable(logging.CRITICAL)
TEXT = th.StringType
SEEN: list[str] = []
CHANGED: list[str] = []


class Orders(RESTStream):
    name = "orders"
    path = "/reseller/orders"
    url_base = sys.argv[1]
    primary_keys = ("orderId",)
    replication_key = "updatedAt"
    records_jsonpath = "$.orders[*]"
    schema = th.PropertiesList(
        th.Property("orderId", TEXT),
        th.Property("createdAt", th.DateTimeType),
        th.Property("updatedAt", th.DateTimeType),
        th.Property("reference", TEXT),
        th.Property("customer", th.ObjectType(additional_properties=True)),
        th.Property("address", th.ObjectType(additional_properties=True)),
        th.Property("items", th.ArrayType(th.ObjectType(additional_properties=True))),
    ).to_dict()

    def get_new_paginator(self) -> JSONPathPaginator:
        return JSONPathPaginator("$.nextCursor")

    def get_url_params(self, _context: object, next_page_token: str | None) -> dict[str, str]:
        return {"limit": "100"} | ({"cursor": next_page_token} if next_page_token else {})

    def post_process(self, row: dict, _context: object = None) -> dict | None:
        SEEN.append(row["orderId"])
        since = self.get_starting_replication_key_value(None)
        if since and row["updatedAt"] <= since:
            return None
        CHANGED.append(row["orderId"])
        return row


class OrdersTap(Tap):
    name = "tap-orders"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> Iterable[Orders]:
        return [Orders(self)]


def walk(state: dict) -> tuple[float, dict]:
    """Seconds of a sync from where the last one ended, and where this one did."""
    SEEN.clear()
    CHANGED.clear()
    tap = OrdersTap(config={}, state=state)
    started = time.process_time()
    tap.sync_all()
    seconds = time.process_time() - started
    assert len(SEEN) == int(sys.argv[2]), f"walked {len(SEEN)} orders"
    return seconds, tap.state


answers = sys.stdout
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    seconds, state = walk({})
    print(json.dumps(seconds), file=answers, flush=True)
    for _ in sys.stdin:
        seconds, state = walk(state)
        found = {"seconds": seconds, "changed": len(CHANGED)}
        print(json.dumps(found), file=answers, flush=True)
