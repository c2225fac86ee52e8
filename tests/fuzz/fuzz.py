"""Fuzzes the code that parses untrusted bytes, with atheris.

``python -m tests.fuzz.fuzz <verifier|cursor|a provider's name> [libFuzzer's options] [seeds]``.
Ends with an error at the first input that makes anything but the promised outcome.
"""

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import atheris

with atheris.instrument_imports(include=["milepost"]):
    from milepost.api.pagination import BadCursor, read_cursor, write_cursor
    from milepost.common.errors import BadPayload
    from milepost.common.strict_json import read_object
    from milepost.connections.connection import Connection
    from milepost.providers.registry import adapter
    from milepost.webhooks.signatures import BadSignature, verify

from tests.signing import OTHER_SECRET, SECRET, spirii_headers, standard_headers

NOW = 1_772_447_400
AT = datetime.fromtimestamp(NOW, UTC)
BODY = b'{"event":"order.status_changed"}'
KEYS = {"standard-webhooks": (SECRET, OTHER_SECRET), "spirii": ("a key of spirii",)}
GOOD = {
    "standard-webhooks": standard_headers(BODY, timestamp=NOW),
    "spirii": spirii_headers(BODY, secret="a key of spirii", timestamp=NOW),
}


def check_verifier(data: bytes) -> None:
    """Check that it raises BadSignature, or returns the id of the one delivery that was signed."""
    given = atheris.FuzzedDataProvider(data)
    scheme = given.PickValueInList(sorted(GOOD))
    good = GOOD[scheme]
    headers = {
        _spelled(name, given): _value(value, given)
        for name, value in good.items()
        if given.ConsumeIntInRange(0, 15)
    }
    if not given.ConsumeIntInRange(0, 3):
        headers[given.ConsumeUnicode(20)] = given.ConsumeUnicode(40)
    body = BODY if given.ConsumeBool() else given.ConsumeBytes(sys.maxsize)
    try:
        found = verify(scheme, headers=headers, body=body, secrets=KEYS[scheme], now=NOW)
    except BadSignature:
        return
    # Spirii signs no id, so that any one is accepted with the rest.
    assert scheme == "spirii" or found == good["webhook-id"], "another id was accepted"
    assert body == BODY, "another body was accepted"


def _spelled(name: str, given: Any) -> str:
    return name.upper() if given.ConsumeBool() else name


def _value(value: str, given: Any) -> Any:
    """The valid value, that value with something inserted, or any value."""
    choice = given.ConsumeIntInRange(0, 3)
    if choice <= 1:
        return value
    at = given.ConsumeIntInRange(0, len(value))
    text = given.ConsumeUnicode(64)
    return text if choice == 2 else value[:at] + text + value[at:]


LIST = "orders connection=offergrid-home"
CURSOR_KEYS = (b"the key of today", b"the key of yesterday")
PLACES = (["2026-03-02", "order#offergrid-home#ord-1"], {"a": "ü"}, None, 7)
GOOD_CURSORS = {
    write_cursor(place, of_list=LIST, keys=[key]): place for place in PLACES for key in CURSOR_KEYS
}


def check_cursor(data: bytes) -> None:
    """Check that it raises BadCursor, or returns the position that was written for this list."""
    given = atheris.FuzzedDataProvider(data)
    good = given.PickValueInList(sorted(GOOD_CURSORS))
    cursor = _value(good, given)
    of_list = LIST if given.ConsumeIntInRange(0, 3) else _value(LIST, given)
    try:
        place = read_cursor(cursor, of_list=of_list, keys=CURSOR_KEYS)
    except BadCursor:
        return
    assert cursor in GOOD_CURSORS, "another cursor was accepted"
    assert of_list == LIST, "a cursor of another list was accepted"
    assert place == GOOD_CURSORS[cursor], "it came to another place"


def check_adapter(provider: str) -> Any:
    """Check that it raises BadPayload, or returns reports."""
    reader = adapter(provider)
    connection = Connection(id=f"{provider}-fuzz", provider=provider, base_url="https://x.example")

    def check(data: bytes) -> None:
        for read in (
            lambda value: reader.read_event(value, connection=connection, seen_at=AT),
            lambda value: reader.read_order(value, connection=connection, requested_at=AT),
        ):
            try:
                reports = read(read_object(data))
            except BadPayload:
                continue
            assert all(one.connection == connection.id for one in reports)

    return check


STRANGE = [
    None, True, 0, -1, 10**40, 1.5, "", " ", "\x00", "é", "x" * 300, [], {}, [[]], {"": None},
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999-12:00", "2026-03-29 02:30:00",
    "2026-02-30", "completed", "Delivery", "active", "REJECTED",
]  # fmt: skip


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Mostly JSON with one part replaced or removed, to be parsed by adapters; otherwise any
    bytes.
    """
    chance = random.Random(seed)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    places = list(_places(value)) if isinstance(value, dict) else []
    if not places or chance.random() < 0.1:
        mutated: bytes = atheris.Mutate(data, most)
        return mutated
    container, name = chance.choice(places)
    if chance.random() < 0.2:
        del container[name]
    else:
        container[name] = chance.choice([*STRANGE, chance.choice(places)[0]])
    try:
        return json.dumps(value).encode()[:most]
    except (ValueError, RecursionError):
        return data


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in list(inner):
        yield value, name
        if isinstance(one, dict | list):
            yield from _places(one)


CHECKS = {"verifier": check_verifier, "cursor": check_cursor}


def main() -> None:
    target = sys.argv.pop(1)
    if target in CHECKS:
        atheris.Setup(sys.argv, CHECKS[target])
    else:
        atheris.Setup(sys.argv, check_adapter(target), custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
