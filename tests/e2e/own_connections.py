"""The tests' own connections, in addition to those of the local stack: they notify customers."""

from collections.abc import Mapping
from typing import Any

HOME = "offergrid-home"
SHOP = "offergrid-shop"
"""Told in German, few mails an hour to one recipient, and a text of its own for cancellations."""
CHARGE = "spirii-shop"
"""Told in Danish."""

LIKE = {SHOP: HOME, CHARGE: "spirii-charge"}
SECRETS = {
    SHOP: "whsec_bWlsZXBvc3QtdGVzdC1zZWNyZXQtb2YtdGhlLXNob3A=",
    CHARGE: "the secret of the tests' own charge boxes, of 48 b.",
}
TEXTS = {
    "cancelled.de.j2": """{% extends default %}
{% block subject %}Der Laden meldet: storniert, {{ reference }}{% endblock %}
""",
    "broken.en.j2": "{% extends default %}\n{% block subject %}{{ whoo }}{% endblock %}\n",
}


def declaration(known: Mapping[str, Mapping[str, Any]], *, broken: bool = False) -> str:
    """The file to apply.

    :param known: the connections of stack.json
    :param broken: with a text that names a value which there is not
    """
    text = "{rejected: {team: {en: broken.en.j2}}}" if broken else CANCELLED_IN_GERMAN
    return f"""
connections:
  - id: {SHOP}
    provider: offergrid
    base_url: {known[HOME]["sandbox_url"]}
    time_zone: Europe/Berlin
    poll: "off"
    language: de
    customer_notices: [scheduled, completed]
    notices_per_hour: 3
    templates: {text}
    credentials: {{api_key: "{known[HOME]["api_key"]}"}}
    signing: {{secrets: ["{SECRETS[SHOP]}"]}}
  - id: {CHARGE}
    provider: spirii
    base_url: {known["spirii-charge"]["sandbox_url"]}
    country: DK
    time_zone: Europe/Copenhagen
    poll: "off"
    language: da
    sender: {{company: Example Charging ApS, legal: CVR 12345678, reply_to: ask@example.dk}}
    customer_notices: [scheduled]
    tracking: {{colour: "#ffcf33"}}
    credentials: {{api_key: none}}
    signing: {{secrets: ["{SECRETS[CHARGE]}"]}}
"""


CANCELLED_IN_GERMAN = "{cancelled: {team: {de: cancelled.de.j2}}}"


def described(known: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The tests' connections in the form of stack.json."""
    return {
        own: {
            **known[like],
            "webhook_url": known[like]["webhook_url"].replace(like, own),
            "signing": {**known[like]["signing"], "secret": SECRETS[own]},
        }
        for own, like in LIKE.items()
    }
