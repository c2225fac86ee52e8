"""The desired state according to the file, with all defaults, and whether the stack supports it."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.connections.custom_templates import Texts
from cli.connections.file import ConnectionsFile, FileSecrets, Secrets
from cli.connections.file_schema import DeclaredConnection, DeclaredFile, DeclaredSender
from cli.connections.provider_defaults import profile_of, scheme_of, version_of
from cli.connections.schedules import Schedule
from cli.connections.stored_state import Stored
from cli.errors import InvalidFile, Problem
from milepost.common.email_addresses import address_identity
from milepost.connections.connection import (
    CommissionTerms,
    Connection,
    FollowUp,
    SenderIdentity,
    TrackingPage,
)
from milepost.notifications.chat.addresses import check_webhook
from milepost.notifications.endpoints.addresses import Refused
from milepost.notifications.notice import CHATS
from milepost.notifications.subscription import FROM_FILE, Subscription
from milepost.notifications.subscription_input import require_callable, subscription_from


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedConnection:
    """The desired state of one connection.

    ``schedule`` is None when it is not polled, ``scheme`` None when it takes no webhooks.
    """

    settings: Connection
    schedule: Schedule | None
    scheme: Any
    secrets: Secrets
    texts: Texts = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.settings.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The desired state of the whole file, by id.

    ``endpoint_secrets`` are those that the file names; any other is kept, or made. Chats have the
    address of their webhook there.
    """

    connections: Mapping[str, WantedConnection]
    subscriptions: Mapping[str, Subscription]
    endpoint_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def work_out(file: ConnectionsFile, secrets: FileSecrets, texts: Mapping[str, Texts]) -> Wanted:
    """The desired state for a file.

    :param texts: templates by connection, as ``read_texts`` has read and tried them
    """
    connections = [
        _connection(
            one, secrets.connections[one.id], texts.get(one.id, {}), usual=file.declared.sender
        )
        for one in file.declared.connections
    ]
    subscriptions = _subscriptions(file.declared, secrets.endpoints)
    return Wanted(
        connections={one.id: one for one in connections},
        subscriptions={one.id: one for one in subscriptions},
        endpoint_secrets={
            subscriptions[index].id: secret for index, secret in secrets.endpoints.items()
        },
    )


def require_possible(
    file: ConnectionsFile, wanted: Wanted, stored: Stored, *, prune: bool, at_home: bool
) -> None:
    """Check values that depend on the stack.

    :param prune: whether connections that the file doesn't name are about to go
    :param at_home: whether it is the local stack, whose endpoints may be of this network
    :raises InvalidFile: with every reason why the file can't be applied to this stack
    """
    problems = [
        *([] if at_home else (*uncallable_endpoints(file), *_uncallable_webhooks(file, wanted))),
        *_impossible(file, wanted, stored),
        *_unheard(file, set() if prune else set(stored.settings)),
    ]
    if problems:
        raise InvalidFile(file.path, problems)


def _connection(
    declared: DeclaredConnection, secrets: Secrets, texts: Texts, *, usual: DeclaredSender | None
) -> WantedConnection:
    profile = profile_of(declared.provider)
    said: dict[str, Any] = {
        "base_url": profile.base_url,
        "token_url": profile.token_url,
        "provider_version": version_of(declared.provider),
        "page_size": profile.page_size,
        "requests_per_minute": profile.requests_per_minute,
    }
    said |= declared.model_dump(
        exclude={"poll", "webhooks", "signing", "credentials", "templates"}, exclude_none=True
    )
    said["poll_minutes"] = declared.schedule.minutes if declared.schedule else None
    said["commission"] = tuple(
        CommissionTerms(**one.model_dump(exclude={"amount"}), amount=f"{one.amount:f}")
        for one in declared.commission_terms
    )
    if declared.reminder_hours is not None:
        said["reminder_hours"] = tuple(sorted(set(declared.reminder_hours), reverse=True))
    if declared.follow_up:
        said["follow_up"] = FollowUp(**declared.follow_up.model_dump())
    if declared.tracking:
        said["tracking"] = TrackingPage(**declared.tracking.model_dump())
    if sender := declared.sender or usual:
        said["sender"] = SenderIdentity(**sender.model_dump())
    said["causes"] = {cause: tuple(one) for cause, one in said.get("causes", {}).items()}
    said["customer_notices"] = frozenset(said.get("customer_notices", ()))
    if declared.search_fields is not None:
        said["search_fields"] = frozenset(declared.search_fields)
    return WantedConnection(
        settings=Connection(**said),
        schedule=declared.schedule,
        scheme=scheme_of(declared.provider) if declared.takes_webhooks else None,
        secrets=secrets,
        texts=texts,
    )


def _subscriptions(declared: DeclaredFile, secrets: Mapping[int, str]) -> list[Subscription]:
    found: list[Subscription] = []
    entries = Counter[str]()
    for index, said in enumerate(declared.subscriptions):
        one = said
        if said.channel in CHATS:
            # The file has a reference; the subscription is named by the address behind it.
            one = said.model_copy(update={str(said.channel): secrets[index]})
        name = one.url or address_identity(one.recipient)
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        entries[digest] += 1
        # A second entry of the same address needs an id that is as stable as the first's.
        suffix = f"-{entries[digest]}" if entries[digest] > 1 else ""
        subscription_id = f"{FROM_FILE}-{digest}{suffix}"
        found.append(subscription_from(one, subscription_id=subscription_id, source=FROM_FILE))
    return found


def _impossible(file: ConnectionsFile, wanted: Wanted, stored: Stored) -> Iterator[Problem]:
    for index, name in enumerate(wanted.connections):
        connection = wanted.connections[name]
        there = stored.settings.get(name)
        provider = connection.settings.provider
        if there is not None and there.provider != provider:
            yield file.problem(
                ("connections", index, "provider"),
                f"{name} is an account at {there.provider}, and the provider of "
                f"its orders can't change: give the account at {provider} "
                "another id",
            )
        elif missing := _missing_credentials(connection, stored):
            yield file.problem(
                ("connections", index, "credentials"),
                f"{provider} needs {', '.join(missing)}: add a reference to it "
                "here, or store it with `milepost connections secret set "
                f"{name} {missing[0]}`",
            )


def _missing_credentials(connection: WantedConnection, stored: Stored) -> Sequence[str]:
    if connection.schedule is None:
        return []
    have = {**stored.credentials.get(connection.id, {}), **connection.secrets.credentials}
    return [
        one for one in profile_of(connection.settings.provider).credentials if not have.get(one)
    ]


def _unheard(file: ConnectionsFile, others: set[str]) -> Iterator[Problem]:
    """Find subscriptions to connections that don't exist, which would never notify anybody."""
    known = others | {one.id for one in file.declared.connections}
    for index, one in enumerate(file.declared.subscriptions):
        for at, name in enumerate(one.connections or ()):
            if name not in known:
                place = ("subscriptions", index, "connections", at)
                yield file.problem(place, f"there is no connection {name}")


def _uncallable_webhooks(file: ConnectionsFile, wanted: Wanted) -> Iterator[Problem]:
    """Find chat webhooks that aren't public https addresses; only the local stack calls such
    webhooks.
    """
    for index, one in enumerate(wanted.subscriptions.values()):
        if one.channel not in CHATS:
            continue
        try:
            address = wanted.endpoint_secrets[one.id]
            check_webhook(address, channel=one.channel, allow_private=False)
        except Refused as refusal:
            yield file.problem(("subscriptions", index, str(one.channel)), str(refusal))


def uncallable_endpoints(file: ConnectionsFile) -> Iterator[Problem]:
    """Find endpoints that a deployed stack can't call, as far as the URL shows it.

    Names are resolved by whoever calls, each time: what they lead to from here says little.
    """
    for index, one in enumerate(file.declared.subscriptions):
        if one.url is None:
            continue
        try:
            require_callable(one.url)
        except Refused as refusal:
            what = f"{refusal}: a deployed stack calls only public https addresses"
            yield file.problem(("subscriptions", index, "url"), what)
