"""Sends mails by SES, and tells which of its errors are refusals of one mail."""

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import ContentTypeDef

REFUSALS: Final = frozenset({"MessageRejected", "BadRequestException", "InvalidParameterValue"})
"""Errors of SES that concern this mail. Any other error concerns Milepost, and is raised."""


def send_mail(
    client: "SESV2Client",
    *,
    sender: str,
    to: str,
    subject: str,
    text: str,
    html: str,
    configuration_set: str | None = None,
) -> str | None:
    """Send a mail without custom headers or tags.

    :param to: an address in ASCII, see ``email_addresses.ascii_address``
    :param configuration_set: through which SES publishes what becomes of the mail
    :returns: the code of SES's error when it refuses this mail; None when it was sent
    :raises ClientError: when SES does not send mails now
    """
    through: dict[str, Any] = (
        {"ConfigurationSetName": configuration_set} if configuration_set else {}
    )
    try:
        client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [to]},
            Content={
                "Simple": {
                    "Subject": utf8(subject),
                    "Body": {"Text": utf8(text), "Html": utf8(html)},
                }
            },
            **through,
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in REFUSALS:
            raise
        return code
    return None


def utf8(text: str) -> "ContentTypeDef":
    """A text in the format of SES's API."""
    return {"Data": text, "Charset": "UTF-8"}
