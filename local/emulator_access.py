"""Clients for the running emulator: address, region and credentials."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config

REGION: Final = "eu-central-1"
ACCOUNT: Final = "000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Address and credentials: of the account's root user on the emulator, or of a role in it."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str
    region: str = REGION
    session_token: str | None = None

    def client(self, service: str) -> Any:
        """A boto3 client of that service."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            aws_session_token=self.session_token,
            config=Config(retries={"mode": "standard"}, read_timeout=90),
        )

    def environment(self) -> dict[str, str]:
        """Environment variables with which AWS tools and SDKs use the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            **({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {}),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


def make_access(*, port: int) -> Access:
    """Access with credentials that are valid only for this run."""
    return Access(
        endpoint_url=f"http://127.0.0.1:{port}",
        access_key_id="AKIA" + secrets.token_hex(8).upper(),
        secret_access_key=secrets.token_urlsafe(30),
    )
