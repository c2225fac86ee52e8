"""Whether anything was lost or duplicated, according to the providers' data."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from local.stack import Stack
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection
from milepost.notifications.notice import DEFAULT_KINDS
from milepost.orders.aws.table import tracked_order
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, Order, OrderKey, TrackedOrder
from milepost.orders.report import Report, refuse_future
from milepost.providers.base import Provider, rules_of
from milepost.providers.registry import REGISTRY, adapter
from tests.soak.account import SandboxAccount
from tests.soak.provider_traffic import Sent
from tests.soak.received_notices import mails_by_recipient, notices_by_recipient, scan

_ONCE: Final = frozenset({Kind.ACCEPTED, Kind.REJECTED, Kind.COMPLETED, Kind.CANCELLED})
"""What no life of this soak can be told twice, but by what comes after a correction."""

_UNSENT: Final = frozenset({"queued", "failed", "bounced"})


@dataclass(kw_only=True)
class Verdict:
    """What was lost or duplicated, one line each, and notes that aren't failures."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Orders that are not what their provider says."""
    told_again: int = 0
    """SNS messages that came once more under their own id, as at least once allows."""
    mailed_again: int = 0
    figures: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    """Seconds from a change to its announcement's record, for changes told by webhook."""


@dataclass(kw_only=True)
class Judge:
    """Compares, and adds the results to ``verdict``."""

    stack: Stack
    accounts: Sequence[SandboxAccount]
    verdict: Verdict = field(default_factory=Verdict)

    def judge_webhooks(
        self, kept: Mapping[OrderKey, TrackedOrder], sent: Mapping[str, Sent]
    ) -> None:
        """Every readable webhook is on its order's timeline; every other one is in the
        quarantine.
        """
        for account in self.accounts:
            deliveries = account.deliveries()
            self.verdict.figures["webhooks"] += len(deliveries)
            self.verdict.figures["webhooks sent again"] += sum(
                len(one["attempts"]) - 1 for one in deliveries if one["status"] == "delivered"
            )
            for report in self._reports_of(account, deliveries):
                order = kept.get(OrderKey.of(report))
                if order is None or not order.order.has_report(report.id):
                    self.verdict.lost.append(f"{OrderKey.of(report)} {report.raw_status}")
            self._judge_quarantine(account, sent[account.id].unreadable)

    def judge_polled(self, kept: Mapping[OrderKey, TrackedOrder], sent: Mapping[str, Sent]) -> None:
        """Every step of a polled order is on its timeline, in its position."""
        by_name = {(key.connection, key.order_id): one for key, one in kept.items()}
        for account in self.accounts:
            for name, life in sent[account.id].lives.items():
                tracked = by_name.get((account.id, name))
                if tracked and tracked.erased_at:
                    continue
                seen = list(_raw_statuses(tracked)) if tracked else []
                for status in _missing([one for one, _ in groupby(life)], seen):
                    self.verdict.lost.append(f"{account.id}/{name} {status}: kept are {seen}")

    def judge_orders(self, kept: Mapping[OrderKey, TrackedOrder]) -> None:
        """Every order has the same status as at its provider, and equals the fold of its
        reports.
        """
        now = datetime.now(UTC)
        for account in self.accounts:
            for order in account.orders():
                for report in adapter(account.provider).read_order(
                    order, connection=self._connection(account), requested_at=now
                ):
                    self._judge_order(report, kept.get(OrderKey.of(report)))
        self.verdict.figures["orders"] = len(kept)
        for key, tracked in kept.items():
            if tracked.erased_at:
                continue
            reports = [entry.report for entry in tracked.order.timeline]
            ids = Counter(report.id for report in reports)
            self.verdict.doubled += [f"{key} {id}" for id, count in ids.items() if count > 1]
            settings = self._settings.get(key.connection)
            rules = rules_of(self._provider(key.connection), settings)
            again = fold(reversed(reports), rules, tracked.order.summary)
            if differing := _differences(again, tracked.order):
                self.verdict.wrong.append(f"{key} is not the fold of its reports: {differing}")
            self.verdict.figures["reports kept"] += len(reports)

    def judge_told(self, kept: Mapping[OrderKey, TrackedOrder], told: Mapping[str, int]) -> None:
        """Each announcement was published by SNS with one id; and nothing else was.

        What an erased order has announced may have been told before.
        """
        announced = announced_ids(kept)
        owed = announced_ids(without_tombstones(kept))
        self.verdict.lost += [f"SNS {id}" for id in sorted(owed - told.keys())]
        self.verdict.doubled += [f"SNS {id}: unknown" for id in sorted(told.keys() - announced)]
        self.verdict.told_again = sum(count - 1 for count in told.values())
        self.verdict.figures["announcements"] = len(announced)
        for key, tracked in kept.items():
            corrected = any(one.correction for one in tracked.announced)
            # A reason that follows is told by itself, once.
            kinds = Counter(
                (one.kind, one.is_reason_of_ending)
                for one in tracked.announced
                if one.kind in _ONCE
            )
            for (kind, _), count in kinds.items():
                if count > 1 and not corrected:
                    self.verdict.doubled.append(f"{key} told {count} times as {kind}")
            self.verdict.latencies += [
                (one.announced_at - one.occurred_at).total_seconds()
                for one in tracked.announced
                if self._provider(key.connection).signature_scheme
            ]

    def judge_mails(self) -> None:
        """Every recipient got the number of mails in the delivery log, and none is missing."""
        log = scan(self.stack, "NoticesTable")
        sent = notices_by_recipient(log, states=frozenset({"sent", "delivered"}))
        mails = mails_by_recipient(self.stack)
        self.verdict.lost += [
            f"a mail: {one['id']} is {one['state']}" for one in log if one.get("state") in _UNSENT
        ]
        self.verdict.lost += [
            "a mail that the log says was sent" for _ in (sent - mails).elements()
        ]
        self.verdict.mailed_again = (mails - sent).total()
        self.verdict.figures["mails"] = mails.total()

    def _judge_order(self, said: Report, tracked: TrackedOrder | None) -> None:
        name = OrderKey.of(said)
        if tracked is None:
            self.verdict.lost.append(f"order {name}")
        elif tracked.erased_at:
            return
        elif said.status is not None and tracked.order.status is not said.status:
            self.verdict.wrong.append(f"{name} is {tracked.order.status}, not {said.status}")
        elif tracked.order.appointment != said.details.get(
            "appointment", tracked.order.appointment
        ):
            self.verdict.wrong.append(f"{name} has another appointment")

    def _judge_quarantine(self, account: SandboxAccount, bodies: Sequence[str]) -> None:
        s3, bucket = self.stack.client("s3"), self.stack.resource_id("QuarantineBucket")
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"quarantine/{account.id}/"
        )
        kept = Counter(
            s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for page in pages
            for one in page.get("Contents", [])
        )
        self.verdict.figures["quarantined"] += kept.total()
        wanted = Counter(body.encode() for body in bodies)
        self.verdict.lost += [f"quarantine {one!r}" for one in wanted - kept]
        self.verdict.doubled += [f"quarantine {one!r}" for one in kept - wanted]

    def _reports_of(
        self, account: SandboxAccount, deliveries: Iterable[Mapping[str, Any]]
    ) -> Iterator[Report]:
        provider, connection = adapter(account.provider), self._connection(account)
        now = datetime.now(UTC)
        for one in deliveries:
            try:
                event = read_object(one["body"].encode())
                reports = provider.read_event(event, connection=connection, seen_at=now)
                refuse_future(reports, now=now)
            except BadPayload:
                continue
            yield from reports

    def _connection(self, account: SandboxAccount) -> Connection:
        return self._settings.get(account.id)

    @cached_property
    def _settings(self) -> ConnectionSettings:
        path = f"/{self.stack.stack_name}/connections"
        return ConnectionSettings(
            self.stack.client("ssm"), path=path, clock=time.monotonic, providers=REGISTRY
        )

    def _provider(self, connection: str) -> Provider:
        return adapter(next(one.provider for one in self.accounts if one.id == connection))


def read_orders(stack: Stack) -> dict[OrderKey, TrackedOrder]:
    """Every stored order."""
    found = map(tracked_order, scan(stack, "OrdersTable"))
    return {one.order.key: one for one in found}


def without_tombstones(kept: Mapping[OrderKey, TrackedOrder]) -> dict[OrderKey, TrackedOrder]:
    """Orders whose customers weren't erased."""
    return {key: one for key, one in kept.items() if one.erased_at is None}


def announced_ids(kept: Mapping[OrderKey, TrackedOrder]) -> set[str]:
    """Ids of all announcements for a subscriber with the default kinds."""
    return {
        one.id_for(key)
        for key, tracked in kept.items()
        for one in tracked.announced
        if one.kind in DEFAULT_KINDS
    }


def _differences(one: Order, other: Order) -> list[str]:
    fields = Order.__dataclass_fields__
    return [name for name in fields if getattr(one, name) != getattr(other, name)]


def _raw_statuses(tracked: TrackedOrder) -> Iterator[str]:
    raw = [entry.report.raw_status or "" for entry in tracked.order.timeline]
    for status, _ in groupby(raw):
        yield status


def _missing(wanted: Sequence[str], seen: Sequence[str]) -> list[str]:
    """The wanted items that are not among the seen ones, in order."""
    missing: list[str] = []
    rest = iter(seen)
    for place, status in enumerate(wanted):
        if not any(one == status for one in rest):
            missing += wanted[place:]
            break
    return missing
