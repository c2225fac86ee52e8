"""Defaults of each provider for settings that a connection in the file leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.providers.stored_versions import known_names, known_provider
from milepost.connections.default_settings import REQUESTS_PER_MINUTE
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_sign_in import OAuthSignIn
from milepost.providers.registry import REGISTRY, adapter
from milepost.webhooks.signature_schemes import parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Defaults for a provider's connections, and the credentials that its adapter requires.

    ``most_per_page`` is what the provider gives at most on a page. ``poll`` is how often it is
    polled: seldom where webhooks tell of changes sooner.
    """

    credentials: tuple[str, ...]
    base_url: str | None = None
    token_url: str | None = None
    needs_token_url: bool = False
    page_size: int = 100
    most_per_page: int = 100
    requests_per_minute: int = REQUESTS_PER_MINUTE
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
"""A registered provider that is missing here needs all settings in the file."""


def profile_of(provider: str) -> Profile:
    """The provider's profile; an empty one if the adapter has none."""
    if declared := known_provider(provider):
        return _declared_profile(declared.said)
    return PROFILES.get(provider, Profile(credentials=()))


def _declared_profile(said: Declaration) -> Profile:
    most = said.list.page_size.most if said.list.page_size else 100
    by_token = isinstance(said.sign_in, OAuthSignIn)
    token_url = said.sign_in.token_url if isinstance(said.sign_in, OAuthSignIn) else None
    return Profile(
        credentials=said.credentials,
        base_url=said.base_url,
        token_url=token_url,
        needs_token_url=by_token and token_url is None,
        page_size=min(most, 100),
        most_per_page=most,
        requests_per_minute=said.list.requests_per_minute,
        poll=said.list.poll,
    )


def version_of(provider: str) -> int | None:
    """The current version of a declared provider; None for a provider with code."""
    declared = known_provider(provider)
    return declared.version if declared else None


def scheme_of(provider: str) -> Any:
    """The provider's signature scheme in its stored form: the scheme's name, or its parameters.

    None when it sends none.
    """
    if declared := known_provider(provider):
        hooks = declared.said.webhooks
        return parameters(hooks.scheme()) if hooks else None
    scheme = adapter(provider).signature_scheme
    return None if scheme is None else parameters(scheme)


def statuses_of(provider: str) -> list[str]:
    """The raw statuses that the provider documents."""
    if declared := known_provider(provider):
        return list(declared.said.statuses.map)
    return list(adapter(provider).statuses)


def provider_names() -> list[str]:
    """Every provider with an adapter, with code or declared."""
    return sorted({*REGISTRY, *known_names()})


def credential_names() -> list[str]:
    """Every credential that any provider requires."""
    profiles = (profile_of(name) for name in provider_names())
    return sorted({name for profile in profiles for name in profile.credentials})
