"""What a new version of a provider's file would change, of orders and of quarantined payloads."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.providers.compare import effects_of
from cli.providers.file import read_declaration
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.providers.declared.adapter import DeclaredProvider

FILE = Path(__file__).parents[3] / "providers" / "examples" / "woocommerce.yaml"
SAMPLE = json.loads((FILE.with_suffix("") / "order-1.json").read_text())
BASE = "https://shop.example"


class Api:
    """An API with three orders, of which one is closed, and one quarantined payload."""

    def pages(self, path: str, **query: Any) -> Iterator[Mapping[str, Any]]:
        if path == "/orders":
            assert set(query["status"]) == set(map(str, Status))
            words = ("on-hold", "completed", "processing")
            yield {"orders": [{"id": f"shop:{word}", "raw_status": word} for word in words]}
        else:
            yield {"items": [{"id": "shop:1"}]}

    def get(self, _path: str) -> Any:
        body = json.dumps({**SAMPLE, "status": "parked"}).encode()
        return {
            "received_at": "2026-05-01T09:00:00Z",
            "source": "poll",
            "base64": b64encode(body).decode(),
        }


def provider(text: str) -> DeclaredProvider:
    return DeclaredProvider(read_declaration(text), base_url=BASE)


def test_orders_open_and_closed_and_payloads_that_are_read_in_another_way_are_named() -> None:
    text = FILE.read_text()
    changed = text.replace("on-hold: pending", "parked: pending").replace(
        "completed: completed", "completed: active"
    )
    changed = changed.replace("ignore: [checkout-draft,", "ignore: [on-hold, checkout-draft,")
    effects = effects_of(
        Api(),  # type: ignore[arg-type]
        [Connection(id="shop", provider="woocommerce", base_url=BASE)],
        before=provider(text),
        after=provider(changed),
    )
    assert effects.not_asked is None
    assert effects.orders == [
        "shop:on-hold: 'on-hold' was pending, is ignored",
        "shop:completed: 'completed' was completed, is active",
    ]
    assert effects.payloads == ["shop:1: was unknown status; is pending"]
