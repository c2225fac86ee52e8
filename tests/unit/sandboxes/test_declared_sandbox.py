"""The sandbox of a declared provider: its file and samples answer as the file says."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.declared_providers import declared_connections
from local.sandboxes.declared import TOKEN_PATH
from local.sandboxes.server import Sandboxes
from milepost.common.status import Status
from milepost.common.strict_json import read_json, read_object
from milepost.connections.connection import Connection
from milepost.providers.base import OrderNamed
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.http import ProviderHttp, ProviderPool
from milepost.providers.session import Conversation
from milepost.webhooks.signatures import verify

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "providers" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: str(one.stem))
def test_its_orders_are_listed_moved_and_told_of_by_webhooks_that_are_signed(path: Path) -> None:
    (account,) = declared_connections([path])
    with Sandboxes([account]) as sandboxes:
        base_url = sandboxes.url(account.id)
        assert account.declared
        provider = DeclaredProvider(account.declared[0], base_url=base_url)
        connection = Connection(
            id=account.id,
            provider=provider.name,
            base_url=base_url,
            token_url=base_url + TOKEN_PATH,
        )
        http = ProviderHttp(ProviderPool(), allowed=[base_url])
        now = datetime.now(UTC)

        def talk(credentials: dict[str, str]) -> Conversation:
            return Conversation(
                connection=connection, provider=provider, credentials=credentials, http=http,
                clock=lambda: now,
            )  # fmt: skip

        mine = sandboxes.accounts[account.id]
        kept = mine.create_order(mine.stories[0].fields)
        first = provider.first_page(connection, changed_since=None)
        answer = talk(account.credentials).fetch(first)
        assert answer.status == 200, answer.body
        (order,) = provider.read_page(read_json(answer.body), request=first).orders
        (report,) = provider.read_order(order, connection=connection, requested_at=now)
        assert report.order_id == kept["id"]
        if provider.said.sign_in.kind != "oauth2":
            wrong = dict.fromkeys(account.credentials, "another")
            assert talk(wrong).fetch(first).status == 401

        statuses = set()
        for story in mine.stories:
            for move in story.moves:
                mine.move_order(kept["id"], move)
                one = talk(account.credentials).fetch(provider.order_request(kept["id"]))
                found = provider.read_one(read_object(one.body))
                (moved,) = provider.read_order(found, connection=connection, requested_at=now)
                statuses.add(moved.status)
        assert Status.COMPLETED in statuses
        delivery = mine.deliveries[-1]
        at = int(time.time())
        assert provider.signature_scheme
        assert verify(
            provider.signature_scheme, headers=delivery.sign(at), body=delivery.body,
            secrets=account.signing.secrets, now=at,
        )  # fmt: skip
        event = read_object(delivery.body)
        if provider.said.fetches_by_webhook:
            with pytest.raises(OrderNamed):
                provider.read_event(event, connection=connection, seen_at=now)
            return
        (told,) = provider.read_event(event, connection=connection, seen_at=now)
        assert told.status == moved.status
