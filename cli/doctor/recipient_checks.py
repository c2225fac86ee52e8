"""Whether anybody is notified of an order that failed, needs attention or is overdue.

These kinds are in no subscription that doesn't name them, so it easily happens that nobody is
notified of them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.doctor.channel_checks import topic_subscriptions
from cli.doctor.findings import ExaminedStack, Finding, ok, warning
from cli.subscriptions.service_types import service_type_warnings
from milepost.orders.order import Kind

KINDS: Final = (Kind.FAILED, Kind.ATTENTION, Kind.OVERDUE)
_PENDING: Final = "PendingConfirmation"

Policy = Mapping[str, Any]


def check_recipients(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether somebody is notified of each kind, for all orders of each connection."""
    policies = [*_policies(patient)]
    unheard = {
        name: [kind for kind in KINDS if not _is_heard(patient, policies, name, kind)]
        for name in sorted(patient.stored.settings)
    }
    for name, kinds in unheard.items():
        if kinds:
            yield warning(
                "hearing",
                f"{name}: nobody is notified of orders that are {_in_words(kinds)}",
                f"Add a subscription with `kinds: [{', '.join(kinds)}]` to the connections' file, "
                "or subscribe to the topic of announcements.",
            )
    if not any(unheard.values()):
        yield ok(
            "hearing",
            "for every connection somebody is notified of failed, overdue and attention",
        )


def check_service_types(patient: ExaminedStack) -> Iterator[Finding]:
    """Subscriptions to service types that no order is known to have."""
    stored = patient.stored
    found = [*service_type_warnings(patient.stack, stored.subscriptions.values(), stored.settings)]
    for one, text in found:
        yield warning("services", f"{one.id}: {text}", "If it is wrong, change the subscription.")
    if not found:
        yield ok("services", "every subscription's service types are known")


def _in_words(kinds: list[Kind]) -> str:
    words = {Kind.ATTENTION: "in need of attention"}
    return ", ".join(words.get(kind, str(kind)) for kind in kinds)


def _is_heard(patient: ExaminedStack, policies: list[Policy], connection: str, kind: Kind) -> bool:
    by_milepost = any(
        one.ended is None
        and one.takes(kind)
        and one.takes_connection(connection)
        and not one.service_types
        for one in patient.stored.subscriptions.values()
    )
    return by_milepost or any(_passes(one, connection, kind) for one in policies)


def _passes(policy: Policy, connection: str, kind: Kind) -> bool:
    """Whether a filter policy accepts all messages of this kind and connection, as far as it
    compares values; a policy that filters in another way isn't counted."""
    if not policy.keys() <= {"kind", "connection"}:
        return False
    return all(
        wanted in policy.get(name, [wanted])
        for name, wanted in (("kind", str(kind)), ("connection", connection))
    )


def _policies(patient: ExaminedStack) -> Iterator[Policy]:
    """The filter policies of the subscribers of announcements; an empty one accepts everything."""
    sns = patient.stack.client("sns")
    for one in topic_subscriptions(patient):
        if one["SubscriptionArn"] == _PENDING:
            continue
        found = sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])
        policy = json.loads(found["Attributes"].get("FilterPolicy") or "{}")
        yield policy if isinstance(policy, dict) else {}
