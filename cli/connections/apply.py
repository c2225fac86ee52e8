"""Applies a difference. Each step can be repeated, so that an interrupted apply can be run again.

A secret is written only if it is still the one that was compared, so none is replaced or made that
the difference does not name.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cli.connections.apply_lock import ChangedSinceCompared, StillOurs
from cli.connections.desired_state import Wanted, WantedConnection
from cli.connections.difference import Change, Difference
from cli.connections.stored_state import Stored, Stores
from cli.errors import CannotDo
from milepost.aws.shared_secret import Entries
from milepost.notifications.endpoints.secret_rotation import KEEP_PREVIOUS, current_secret, rotate
from milepost.notifications.notice import CHATS, Channel
from milepost.webhooks.receiver import Signing
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import NoSecret, make_signing_secret


def apply(
    difference: Difference,
    wanted: Wanted,
    stores: Stores,
    *,
    compared: Stored,
    still_ours: StillOurs,
) -> None:
    """Change the stack to the state in the file.

    What is needed to receive events is written first and what starts work last, so that no function
    finds an incomplete connection; removals are made in the opposite order.

    :param compared: what was stored when the difference was worked out
    :param still_ours: looked at before each part
    :raises ChangedSinceCompared: when a secret is no longer the one that was compared, or somebody
        else has begun to apply
    """
    kept = [
        wanted.connections[one.id]
        for one in difference.connections
        if one.change is not Change.REMOVED
    ]
    gone = [one.id for one in difference.connections if one.change is Change.REMOVED]
    _put_connections(kept, stores, compared)
    still_ours()
    _remove_connections(gone, stores)
    still_ours()
    _apply_subscriptions(difference, wanted, stores, compared)


def _apply_subscriptions(
    difference: Difference, wanted: Wanted, stores: Stores, compared: Stored
) -> None:
    # A notice to an endpoint without a secret fails: so it is there first, and goes last.
    kept = [one.id for one in difference.subscriptions if one.change is not Change.REMOVED]
    gone = [one.id for one in difference.subscriptions if one.change is Change.REMOVED]
    if kept:
        stores.endpoint_secrets.change(
            lambda entries: _set_endpoint_secrets(entries, kept, wanted, compared)
        )
    for one in difference.subscriptions:
        if one.change is Change.REMOVED:
            stores.subscriptions.delete(one.id)
        else:
            stores.subscriptions.put(wanted.subscriptions[one.id])
    if gone:
        stores.endpoint_secrets.change(lambda entries: _drop(entries, gone))


def _set_endpoint_secrets(
    entries: Entries, subscription_ids: Iterable[str], wanted: Wanted, compared: Stored
) -> None:
    for one in (wanted.subscriptions[each] for each in subscription_ids):
        if one.channel in CHATS:
            # The name of the subscription follows from the address: another would be of another.
            entries[one.id] = wanted.endpoint_secrets[one.id]
        if one.channel is Channel.HTTPS:
            _require_same(entries, compared.endpoint_secrets, one.id, "the secret of endpoint")
            entry, given = entries.get(one.id), wanted.endpoint_secrets.get(one.id)
            if current_secret(entry) is None:
                entries[one.id] = given or make_signing_secret(STANDARD_WEBHOOKS)
            elif given is not None:
                # The endpoint may take up the new one later, or have taken it up before.
                now = datetime.now(UTC)
                entries[one.id] = rotate(entry, new=given, now=now, keep_for=KEEP_PREVIOUS)


def _require_same(entries: Entries, compared: Mapping[str, Any], entry_id: str, what: str) -> None:
    if entries.get(entry_id) != compared.get(entry_id):
        raise ChangedSinceCompared(f"{what} {entry_id}")


def _put_connections(
    connections: Iterable[WantedConnection], stores: Stores, compared: Stored
) -> None:
    connections = list(connections)
    if not connections:
        return
    stores.credentials.change(lambda entries: _set_credentials(entries, connections, compared))
    for one in connections:
        stores.settings.put(one.settings)
        _put_texts(one, stores)
    stores.signing.change(lambda entries: _set_signing(entries, connections, compared))
    for one in connections:
        if one.schedule is None:
            stores.schedules.delete(one.id)
        else:
            stores.schedules.put(one.id, one.schedule)


def _put_texts(wanted: WantedConnection, stores: Stores) -> None:
    there = stores.texts.of_connection(wanted.id)
    for place, source in wanted.texts.items():
        if there.get(place) != source:
            stores.texts.put(wanted.id, place, source)
    for place in there.keys() - wanted.texts.keys():
        stores.texts.delete(wanted.id, place)


def _set_credentials(
    entries: Entries, connections: Iterable[WantedConnection], compared: Stored
) -> None:
    for one in connections:
        if one.secrets.credentials:
            # Those that can't be used are replaced, which the difference shows.
            if one.id in compared.credentials or one.id not in compared.unusable:
                _require_same(entries, compared.credentials, one.id, "the credentials of")
            there = entries.get(one.id)
            kept = there if isinstance(there, dict) else {}
            entries[one.id] = {**kept, **one.secrets.credentials}


def _set_signing(
    entries: Entries, connections: Iterable[WantedConnection], compared: Stored
) -> None:
    for one in connections:
        # One that can't be used is shown as missing, and is no entry of ``compared``.
        if one.id in compared.signing or one.id not in compared.unusable:
            _require_same(entries, compared.signing, one.id, "the signing secret of")
        if one.scheme is None:
            entries.pop(one.id, None)
            continue
        given = list(one.secrets.signing or ())
        there = [*Signing.read(entries.get(one.id)).secrets]
        active = given or there or [_made_secret(one)]
        entries[one.id] = {"scheme": one.scheme, "secrets": active}


def _made_secret(wanted: WantedConnection) -> str:
    try:
        return make_signing_secret(wanted.scheme)
    except NoSecret:
        raise CannotDo(
            f"The webhooks of {wanted.id} are checked with the provider's public key: refer to it "
            "by signing.secrets in the file."
        ) from None


def _remove_connections(connection_ids: list[str], stores: Stores) -> None:
    if not connection_ids:
        return
    for one in connection_ids:
        stores.schedules.delete(one)
    stores.signing.change(lambda entries: _drop(entries, connection_ids))
    for one in connection_ids:
        for place in stores.texts.of_connection(one):
            stores.texts.delete(one, place)
        stores.settings.delete(one)
    stores.credentials.change(lambda entries: _drop(entries, connection_ids))


def _drop(entries: Entries, connection_ids: list[str]) -> None:
    for one in connection_ids:
        entries.pop(one, None)
