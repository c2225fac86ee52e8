"""``milepost providers`` against a stack's stores: versions, connections, and what closes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from milepost.connections.connection import UnusableConnection
from milepost.providers.registry import adapter_of
from milepost.webhooks.aws.secrets import SigningSecretsStore
from milepost.webhooks.signature_schemes import read_scheme
from tests.contracts.cli.operator import SESSION, STACK, Operator

PROVIDER = (Path(__file__).parents[3] / "providers" / "examples" / "woocommerce.yaml").read_text()
CONNECTIONS = """\
connections:
  - id: shop-de
    provider: woocommerce
    base_url: https://shop.example/wp-json/wc/v3
    credentials: {consumer_key: env:OFFERGRID_KEY, consumer_secret: env:RABOT_SECRET}
    signing: {secrets: [env:SHOP_SECRET]}
  - id: offergrid-home
    provider: offergrid
    credentials: {api_key: env:OFFERGRID_KEY}
"""


def providers(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["providers", *arguments])


@pytest.fixture
def shop(operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SHOP_SECRET", "a secret of the shop, long enough")
    file = tmp_path / "woocommerce.yaml"
    file.write_text(PROVIDER)
    assert providers("apply", str(file), "--yes").exit_code == 0
    operator.declare(CONNECTIONS)
    result = operator.apply("--yes")
    assert result.exit_code == 0, result.output
    return file


def scheme(operator: Operator) -> object:
    store = SigningSecretsStore(SESSION.client("secretsmanager"), secret_id=operator._signing_arn)
    return store.get("shop-de", now=0).scheme


def test_a_connection_gets_the_current_version_and_a_new_one_moves_it(
    operator: Operator, shop: Path
) -> None:
    connection = operator.settings.get("shop-de")
    assert connection.provider_version == 1
    assert adapter_of(connection).name == "woocommerce"
    assert operator.settings.get("offergrid-home").declared is None
    assert scheme(operator) == adapter_of(connection).signature_scheme

    again = providers("apply", str(shop), "--yes")
    assert "Nothing to change" in again.output

    changed = PROVIDER.replace("on-hold: pending", "on-hold: accepted").replace(
        "X-WC-Webhook-Signature", "X-Other-Signature"
    )
    shop.write_text(changed)
    differs = providers("diff", str(shop))
    assert differs.exit_code == 1
    assert "+    on-hold: accepted" in differs.output
    dry = providers("apply", str(shop), "--dry-run", "--json")
    assert json.loads(dry.stdout)["applied"] is False
    assert operator.settings.get("shop-de").provider_version == 1

    applied = providers("apply", str(shop), "--yes", "--json")
    assert applied.exit_code == 0, applied.output
    assert json.loads(applied.stdout)["connections"] == ["shop-de"]
    assert operator.settings.get("shop-de").provider_version == 2
    assert scheme(operator) == read_scheme(
        {"header": "x-other-signature", "encoding": "base64",
         "id_header": "x-wc-webhook-delivery-id"}
    )  # fmt: skip
    assert operator.settings.get("offergrid-home").provider_version is None
    assert "Nothing to change." in operator.apply("--yes").output

    back = providers("rollback", "woocommerce", "--yes")
    assert back.exit_code == 0, back.output
    assert operator.settings.get("shop-de").provider_version == 1
    listed = json.loads(providers("list", "--json").stdout)["declared"]
    assert listed == [
        {"provider": "woocommerce", "current": 1, "versions": [1, 2],
         "connections": ["shop-de@1"]}
    ]  # fmt: skip


def test_a_stored_file_that_cannot_be_read_closes_its_connections_alone(
    operator: Operator, shop: Path
) -> None:
    SESSION.client("ssm").put_parameter(
        Name=f"/{STACK}/connections/providers/woocommerce/1",
        Value='{"name": "woocommerce"}',
        Type="String",
        Overwrite=True,
    )
    with pytest.raises(UnusableConnection, match="woocommerce version 1"):
        operator.settings.get("shop-de")
    assert operator.settings.get("offergrid-home").provider == "offergrid"
    assert operator.settings.unusable()["shop-de"].provider == "woocommerce"


def test_a_file_whose_hosts_are_private_or_whose_name_is_taken_is_not_applied(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "bad.yaml"
    for said, why in (
        ("base_url: https://169.254.169.254/latest", "metadata"),
        ("base_url: https://127.0.0.1/", "loopback"),
        ("base_url: https://10.0.0.7/", "private"),
    ):
        file.write_text(PROVIDER.replace("version: 1", f"version: 1\n{said}", 1))
        result = providers("apply", str(file), "--yes")
        assert result.exit_code == 1
        assert why in result.output
    file.write_text(PROVIDER.replace("name: woocommerce", "name: offergrid", 1))
    assert "name of a built-in provider" in providers("apply", str(file), "--yes").output
    file.write_text(PROVIDER.replace("statuses:", "statusses:", 1))
    wrong = providers("apply", str(file), "--yes")
    assert wrong.exit_code == 2
    assert "did you mean statuses" in wrong.output
