"""Signs with a connection's current secret, by its provider's scheme."""

from dataclasses import dataclass, field

from cli.connections.stored_state import SharedSecret
from cli.errors import CannotDo
from cli.stack import Stack
from milepost.webhooks.receiver import Signing
from milepost.webhooks.signature_schemes import SignatureScheme
from milepost.webhooks.signatures import NoSecret, signed_headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs in the way of one connection's provider."""

    connection: str
    scheme: str | SignatureScheme
    secret: str = field(repr=False)

    def headers(self, body: bytes, *, delivery_id: str, timestamp: int) -> dict[str, str]:
        """The headers of a delivery.

        :raises CannotDo: when the stored secret isn't one of its scheme
        """
        try:
            signed = signed_headers(
                self.scheme,
                secret=self.secret,
                delivery_id=delivery_id,
                timestamp=timestamp,
                body=body,
            )
        except NoSecret:
            raise CannotDo(
                f"The signing secret of {self.connection} is not valid for its "
                "scheme: set another with `milepost connections secret set "
                f"{self.connection} signing`."
            ) from None
        return {"content-type": "application/json"} | signed


def find_signer(stack: Stack, connection: str) -> Signer:
    """The signer of a connection.

    :raises CannotDo: when it takes no webhooks, or has no secret
    """
    secret = SharedSecret(
        stack.client("secretsmanager"), secret_id=stack.output("SigningSecretsArn")
    )
    entries = secret.read()
    entry = entries.get(connection)
    signing = Signing.read(entry)
    if not signing.secrets:
        known = ", ".join(sorted(entries)) or "none"
        raise CannotDo(f"{connection} has no signing secret; connections that have: {known}.")
    return Signer(connection=connection, scheme=signing.scheme, secret=signing.secrets[0])
