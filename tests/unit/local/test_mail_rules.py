"""What the local stack refuses, because SES does."""

from typing import Any

import pytest

from local.emulator_corrections.mail_rules import why_refused

SETS = {"milepost-MailEvents"}


def request(**changes: Any) -> dict[str, Any]:
    """A request that SES takes, with some of its fields changed."""
    return {
        "FromEmailAddress": "Milepost <milepost@example.org>",
        "ConfigurationSetName": "milepost-MailEvents",
        "Destination": {"ToAddresses": ["sales@example.org"]},
        "Content": {"Simple": simple()},
        "EmailTags": [{"Name": "mail", "Value": "m1"}],
        **changes,
    }


def simple(**changes: Any) -> dict[str, Any]:
    return {
        "Subject": {"Data": "Grüße", "Charset": "UTF-8"},
        "Body": {"Text": {"Data": "Hello"}},
        "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.org/u/1>"}],
        **changes,
    }


def refusal(asked: dict[str, Any]) -> tuple[str, str] | None:
    refused = why_refused(asked, has_configuration_set=SETS.__contains__)
    return (refused.code, refused.message) if refused else None


def to(*addresses: str) -> dict[str, Any]:
    return request(Destination={"ToAddresses": list(addresses)})


def header(name: str, value: str) -> dict[str, Any]:
    return request(Content={"Simple": simple(Headers=[{"Name": name, "Value": value}])})


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        to("sales@xn--mller-kva.example"),
        to("Sales <sales@example.org>", "bounce+7@simulator.amazonses.com"),
        to(*(f"a{number}@example.org" for number in range(50))),
        request(FromEmailAddress="=?utf-8?q?Gr=C3=BCn?= <milepost@example.org>"),
        request(FromEmailAddress='"Solar Ltd." <milepost@example.org>'),
        header("List-Unsubscribe", "x" * 870),
        request(ReplyToAddresses=["office@example.org"]),
    ],
)
def test_what_ses_takes_is_taken(asked: dict[str, Any]) -> None:
    assert refusal(asked) is None


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (to(), "no recipient"),
        (to(*(f"a{number}@example.org" for number in range(51))), "51 recipients"),
        (to("jürgen@example.org"), "7-bit ASCII"),
        (to("sales@müller.example"), "Punycode"),
        (to("sales"), "@-sign"),
        (to("sales@example"), "period"),
        (to("sales@example.org."), "end with a period"),
        (to("sales@-example.org"), "hyphen"),
        (to("mailto:sales@example.org"), "invalid characters"),
        (to("sales@example.org\r\nBcc: x@example.org"), "invalid characters"),
        (to("ok@example.org", "a b@example.org"), "invalid characters"),
        (request(FromEmailAddress=None), "not an address"),
        (request(FromEmailAddress="Grün <milepost@example.org>"), "encoded word"),
        (request(ReplyToAddresses=["office"]), "'office'"),
        (header("List-Unsubscribe", "x" * 871), "871 characters; 870 may be"),
        (header("List-Unsubscribe", "ü"), "printable ASCII"),
        (header("X-Notice", "a\r\nBcc: x@example.org"), "printable ASCII"),
        (header("X-Notice", ""), "is empty"),
        (header("X Notice", "a"), "not the name of a header"),
        (header("x" * 127, "a"), "not the name of a header"),
        (header("Subject", "a"), "can't be set"),
        (
            request(Content={"Simple": simple(Headers=2 * [{"Name": "X-A", "Value": "a"}])}),
            "not twice",
        ),
        (
            request(
                Content={
                    "Simple": simple(
                        Headers=[{"Name": f"X-{one}", "Value": "a"} for one in range(16)]
                    )
                }
            ),
            "16 headers; 15 may be",
        ),
        (request(Content={"Simple": simple(Subject={"Data": "Grüße"})}), "charset"),
        (request(Content={"Simple": simple(Subject={"Data": "a\nb"})}), "control character"),
        (request(Content={"Simple": simple(Subject={"Data": "a" * 990})}), "longer than a line"),
        (request(Content={"Simple": simple(Body={})}), "neither text nor HTML"),
        (request(EmailTags=[{"Name": "mail", "Value": "a b"}]), "not a tag's"),
        (request(EmailTags=[{"Name": "mail", "Value": "a" * 257}]), "not a tag's"),
        (request(EmailTags=51 * [{"Name": "a", "Value": "b"}]), "51 tags"),
    ],
)
def test_what_ses_refuses_is_refused_with_its_code_and_the_reason(
    asked: dict[str, Any], why: str
) -> None:
    code, message = refusal(asked) or ("", "")
    assert code == "BadRequestException"
    assert why in message


def test_an_unknown_configuration_set_is_not_found() -> None:
    code, message = refusal(request(ConfigurationSetName="gone")) or ("", "")
    assert (code, "gone" in message) == ("NotFoundException", True)


@pytest.mark.parametrize(("megabytes", "is_refused"), [(29, False), (31, True)])
def test_a_message_of_more_than_40_megabytes_in_base64_is_rejected(
    megabytes: int, is_refused: bool
) -> None:
    text = {"Data": "x" * (megabytes * 1024 * 1024)}
    found = refusal(request(Content={"Simple": simple(Body={"Text": text})}))
    assert (found is not None) == is_refused
    assert found is None or found[0] == "MessageRejected"
