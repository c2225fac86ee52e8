"""Tests whether webhooks of a connection arrive, from the stack itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.replay import KeptId, NotKept
from milepost.webhooks.aws.secret_rotation import SigningSecretsKeeper
from milepost.webhooks.aws.test_sender import HttpSender
from milepost.webhooks.receiver import Signing
from milepost.webhooks.secret_rotation import NoSigningSecret
from milepost.webhooks.send_test import WebhookTest, WebhookTestOutcome
from milepost.webhooks.signatures import signed_headers


class QuarantinedTests:
    """Implements ``send_test.KeptTests``."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine

    def has(self, kept_id: KeptId) -> bool:
        try:
            self._quarantine.get(kept_id)
        except NotKept:
            return False
        return True

    def remove(self, kept_id: KeptId) -> None:
        self._quarantine.remove(kept_id)


class StackWebhookTests:
    """Implements ``services.WebhookTests``."""

    def __init__(
        self,
        *,
        secrets: SigningSecretsKeeper,
        quarantine: Quarantine,
        public_url: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._secrets = secrets
        self._public_url = public_url
        self._test = WebhookTest(
            sender=HttpSender(),
            kept=QuarantinedTests(quarantine),
            clock=clock,
        )

    def run(self, connection_id: str, *, patience: float) -> WebhookTestOutcome:
        signing = Signing.read(self._secrets.entry(connection_id))
        if not signing.secrets:
            raise NoSigningSecret(f"{connection_id} has no signing secret")

        def headers(body: bytes, *, delivery_id: str, timestamp: int) -> Mapping[str, str]:
            signed = signed_headers(
                signing.scheme,
                secret=signing.secrets[0],
                delivery_id=delivery_id,
                timestamp=timestamp,
                body=body,
            )
            return {"content-type": "application/json", **signed}

        url = f"{self._public_url()}/webhooks/{quote(connection_id, safe='')}"
        return self._test.run(connection_id, url=url, headers=headers, patience=patience)
