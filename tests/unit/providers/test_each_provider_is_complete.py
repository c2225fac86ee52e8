"""A registered provider comes with all that belongs to one: what is missing is named."""

from pathlib import Path

import pytest

from cli.connections.provider_defaults import PROFILES, statuses_of
from local.sandboxes.demo_scenarios import SCENARIOS
from local.sandboxes.server import ACCOUNTS
from local.sandboxes.settings import CREDENTIALS, SCHEMES
from milepost.notifications.mail.rendering.samples import SAMPLES
from milepost.providers.registry import REGISTRY, adapter, name_of

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "providers" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("provider", sorted(REGISTRY))
def test_a_registered_provider_has_all_that_belongs_to_one(provider: str) -> None:
    missing = [
        what
        for what, is_there in {
            "a profile (cli/connections/provider_defaults.py)": provider in PROFILES,
            "a preview sample (notifications/mail/rendering/samples.py)": provider in SAMPLES,
            "a sandbox (local/sandboxes/server.py)": provider in ACCOUNTS,
            "the sandbox's credentials": provider in CREDENTIALS and provider in SCHEMES,
            "a demo (local/sandboxes/demo_scenarios.py)": provider in SCENARIOS,
            "a page (docs/providers)": (ROOT / "docs/providers" / f"{provider}.md").is_file(),
            "a name for people (providers/registry.py)": name_of(provider) != provider,
            "a table of status words (STATUSES)": bool(statuses_of(provider)),
        }.items()
        if not is_there
    ]
    assert not missing, f"{provider} has not: {', '.join(missing)}"
    assert set(PROFILES[provider].credentials) == set(CREDENTIALS[provider])
    assert (SCHEMES[provider] == "none") == (adapter(provider).signature_scheme is None)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: str(one.stem))
def test_a_declared_example_has_samples_and_a_line_in_the_guide(path: Path) -> None:
    assert list(path.with_suffix("").glob("list*.json"))
    assert list(path.with_suffix("").glob("webhook*.json"))
