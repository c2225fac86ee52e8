"""Sends mails by SES, and distinguishes final refusals from temporary ones."""

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotReached
from botocore.parsers import ResponseParserError

from milepost.aws.ses_mails import REFUSALS, utf8
from milepost.common.email_addresses import BadAddress, ascii_address
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.sender import OutcomeUnknown, Refused, TryAgainLater
from milepost.notifications.mail.ses_events import MAIL_TAG
from milepost.notifications.notice import Notice

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_NOT_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9_-]")


_BUSY: Final = frozenset(
    {
        "TooManyRequestsException",
        "LimitExceededException",
        "SendingPausedException",
        "AccountSuspendedException",
        "ThrottlingException",
        "ServiceUnavailable",
    }
)
"""Errors of SES that say that it has not accepted the mail, and may accept it later."""


class MailRecords(Protocol):
    """The notices of each mail, so that its outcome can be logged."""

    def keep(self, notices: Sequence[Notice], *, at: datetime) -> str:
        """Store the notices of a mail before it is sent; returns an id for the mail that is valid
        in a message tag."""
        ...


class Mailbox:
    """Implements ``sender.Mailer`` by SES.

    The outcome of a mail is published through the configuration set, with the mail's tags.
    """

    def __init__(
        self, client: "SESV2Client", *, sender: str, configuration_set: str, records: MailRecords
    ) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set
        self._records = records

    def send(self, mail: Mail, *, notices: Sequence[Notice], at: datetime) -> str:
        to = _destination(mail.to)
        tags = mail_tags(notices[0], mail_id=self._records.keep(notices, at=at))
        try:
            answer = self._client.send_email(
                FromEmailAddress=_named_address(mail.from_name, self._sender),
                ConfigurationSetName=self._configuration_set,
                Destination={"ToAddresses": [to]},
                Content={
                    "Simple": {
                        "Subject": utf8(mail.subject),
                        "Body": {"Text": utf8(mail.text), "Html": utf8(mail.html)},
                        "Headers": [{"Name": k, "Value": v} for k, v in mail.headers.items()],
                    }
                },
                EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
                # SES refuses a header of that name: it has a parameter for it.
                **_reply_to(mail.reply_to),
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _BUSY:
                raise TryAgainLater(code) from None
            if code in REFUSALS and not _is_about_us(error):
                raise Refused(f"SES refused the mail ({code})") from None
            if _is_server_error(error):
                raise OutcomeUnknown(code) from None
            raise
        except NotReached as error:
            # SES was not reached, so it has not accepted the mail.
            raise TryAgainLater(type(error).__name__) from None
        except (HTTPClientError, ResponseParserError) as error:
            raise OutcomeUnknown(type(error).__name__) from None
        message_id: str = answer["MessageId"]
        return message_id


def mail_tags(notice: Notice, *, mail_id: str) -> dict[str, str]:
    """The message tags of a mail; a digest's are those of its first notice.

    Source: Amazon SES API v2, ``MessageTag``: at most 256 letters, digits, ``_`` and ``-``.
    """
    tags = {
        "kind": str(notice.announcement.kind),
        "connection": notice.key.connection,
        MAIL_TAG: mail_id,
    }
    return {name: _NOT_IN_TAGS.sub("_", value)[:256] for name, value in tags.items()}


def _destination(address: str) -> str:
    """The address in ASCII, as SES requires it.

    :raises Refused: when SES can't send to it
    """
    try:
        return ascii_address(address.strip())
    except BadAddress:
        raise Refused("SES can't send to this address: it is not an email address") from None


def _reply_to(address: str | None) -> dict[str, Any]:
    """The address for replies, in ASCII; None if it isn't valid. Settings that were stored earlier
    may have an invalid address; the mail is sent nevertheless."""
    try:
        return {"ReplyToAddresses": [ascii_address(address.strip())]} if address else {}
    except BadAddress:
        return {}


def _is_server_error(error: ClientError) -> bool:
    """Whether SES or a server before it failed, so that SES may have accepted the mail."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response["Error"]["Code"] == "InternalFailure"


def _is_about_us(error: ClientError) -> bool:
    """Whether SES refuses the sender and not the mail, so that the mail can be sent after that is
    fixed.
    """
    said = error.response["Error"].get("Message", "").lower()
    return "not verified" in said or "configuration set" in said


def _named_address(name: str | None, address: str) -> str:
    """An address with its display name, encoded as SES requires it.

    Source: Amazon SES API v2, ``FromEmailAddress``: names beyond ASCII as RFC 2047 encodes them.
    """
    return formataddr((name, address)) if name else address
