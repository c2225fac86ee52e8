"""What is known of each provider before anybody has said anything about the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from milepost.providers.registry import REGISTRY, adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Defaults of a provider's connections, and which credentials its adapter asks for.

    ``most_per_page`` is what the provider gives at most on a page. ``poll`` is how often it is
    polled: seldom where webhooks tell of changes sooner.
    """

    credentials: tuple[str, ...]
    base_url: str | None = None
    needs_token_url: bool = False
    page_size: int = 100
    most_per_page: int = 100
    requests_per_minute: int = 60
    poll: str = "15 minutes"


PROFILES: Final[Mapping[str, Profile]] = {
    "offergrid": Profile(
        credentials=("api_key",),
        base_url="https://api.offergrid.io",
        # Offergrid's reseller documentation: 100 a minute at most.
        requests_per_minute=100,
    ),
    "rabot": Profile(
        credentials=("client_id", "client_secret"), needs_token_url=True, poll="5 minutes"
    ),
    "spirii": Profile(
        credentials=("api_key",),
        # Spirii's API documentation allows 600 reads; half is left to the team's other programs.
        requests_per_minute=300,
    ),
    "subs": Profile(credentials=("token",)),
}
"""A provider that is registered and stands not here needs everything said in the file."""


def profile_of(provider: str) -> Profile:
    """The provider's profile; an empty one for an adapter that has none."""
    return PROFILES.get(provider, Profile(credentials=()))


def scheme_of(provider: str) -> str | None:
    """How the provider signs webhooks; None when it sends none."""
    return adapter(provider).signature_scheme


def statuses_of(provider: str) -> list[str]:
    """The provider's raw statuses, as it documents them; none of an adapter without a table."""
    module, _, _ = REGISTRY[provider].partition(":")
    return list(getattr(import_module(module), "STATUSES", ()))


def provider_names() -> list[str]:
    """Every provider that there is an adapter for."""
    return sorted(REGISTRY)


def credential_names() -> list[str]:
    """Every credential that some provider asks for."""
    return sorted({name for profile in PROFILES.values() for name in profile.credentials})
