"""The keys of NoticesTable's index ``by_state``; no other module builds them.

The index has the notices of the delivery log, and suppressions. Notices that are queued, sent or
delivered share one list, sorted by when they were entered, so that such a notice needs only one
write to the index. Every other state has a list of its own, sorted by when the notice entered the
state.
"""

import os
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zlib import crc32

from milepost.common.timestamps import sortable
from milepost.notifications.notice import State

BY_STATE: Final = "by_state"
MOST_SHARDS: Final = 8
"""The maximum number of shards, and the number that versions up to 0.3.0 had."""
SHARDS: Final = int(os.environ.get("LIST_SHARDS", "1"))
"""Partitions of each list, parameter ``ListShards``: one takes 1,000 writes a second."""
NORMAL: Final = "normal"
"""The list of notices that are queued, sent or delivered."""
SUPPRESSIONS: Final = "suppressions"
NORMAL_STATES: Final = frozenset({State.QUEUED, State.SENT, State.DELIVERED})


def list_of(state: State) -> str:
    """The name of the list with notices in this state."""
    return NORMAL if state in NORMAL_STATES else str(state)


def notice_listing(state: State, recipient_hash: str, *, at: datetime) -> dict[str, str]:
    """The attributes by which the index lists a notice.

    :param at: when it entered the state; for a normal state, when the notice was entered
    """
    return _listing(list_of(state), recipient_hash, at)


def state_listing(state: State, recipient_hash: str, *, at: datetime) -> dict[str, str]:
    """The attributes of ``notice_listing`` that a change to this state sets: none for a normal
    state, since the notice is already in that list."""
    return {} if state in NORMAL_STATES else notice_listing(state, recipient_hash, at=at)


def suppression_listing(digest: str, *, at: datetime) -> dict[str, str]:
    """The attributes by which the index lists a suppression.

    :param digest: the address's hash by ``email_addresses.address_hash``
    """
    return _listing(SUPPRESSIONS, digest, at)


def shards_of(lists: Iterable[str], hashes: Iterable[str] | None = None) -> list[str]:
    """The partitions of these lists, or only those of these recipients."""
    numbers = range(SHARDS) if hashes is None else {_shard(one, SHARDS) for one in hashes}
    return sorted(f"{name}#{number}" for name in set(lists) for number in numbers)


def earlier_shards_of(lists: Iterable[str], digests: Iterable[str] | None = None) -> list[str]:
    """The other partitions of these lists: earlier versions wrote to them, or this version while it
    had more shards."""
    numbers = range(MOST_SHARDS) if digests is None else {_shard(d, MOST_SHARDS) for d in digests}
    every = {f"{name}#{number}" for name in set(lists) for number in numbers}
    return sorted(every - set(shards_of(lists)))


def _listing(name: str, digest: str, at: datetime) -> dict[str, str]:
    return {"list_shard": f"{name}#{_shard(digest, SHARDS)}", "listed_at": sortable(at)}


def _shard(digest: str, shards: int) -> int:
    # Notices that are ``apart`` are found together with the others of the same address.
    return crc32(digest.partition("-")[0].encode()) % shards
