"""The scan of logs: a leak that is planted is found, and usual lines hold none."""

import base64
import json
import logging
from io import StringIO

import pytest

from tests.data_leaks import Overheard, all_texts, find_leaks, personal_values, pieces_of_body
from tests.signing import SECRET, standard_signature

ORDER = {
    "id": "ord-7c1e20",
    "name": "Mia",
    "customer": {"firstName": "Jonas", "last_name": "Müller", "phone": "+49 170 5550199"},
    "items": [{"site": {"street": "Lindenstraße 7", "city": "Berlin"}}],
}
KNOWN = personal_values(ORDER)
USUAL = """{"level":"INFO","message":"polled","connection":"offergrid-home","pages":3}
START RequestId: 5b1f0c9e-0000-4000-8000-000000000000 Version: $LATEST
{"_aws":{"CloudWatchMetrics":[{"Dimensions":[["reason"]]}]},"reason":"bad_signature","status":401}
{"arn":"arn:aws:sqs:eu-central-1:000000000000:milepost-InboxQueue-5b1f","layer":"a@sha256"}
{"message_id":"14c9461e-a7a4@email.amazonses.com","fate":"delivered"}
"""


def test_the_values_of_peoples_fields_are_known_at_any_depth() -> None:
    assert {"Jonas", "Müller", "+49 170 5550199", "Lindenstraße 7"} == KNOWN
    secret = {"offergrid": {"secrets": [SECRET], "scheme": "spirii", "on": True}}
    assert all_texts(secret) == {SECRET}


@pytest.mark.parametrize(
    "planted",
    [
        "jonas.mueller.12@example.org",
        SECRET,
        standard_signature(b"{}", timestamp=1),
        "'Spirii-Signature': '" + "0f" * 32 + "'",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI1YjFmIn0.c2ln",
        "Authorization: Bearer local-offergrid-home-api_key",
        "DE02120300000000202051",
        "Jonas",
        "Müller",
        "M\\u00fcller",
        '{"body": "{\\"to\\": \\"M\\\\u00fcller\\"}"}',
        "+49 170 5550199",
        "Lindenstraße 7",
    ],
)
def test_what_is_planted_in_a_line_is_found(planted: str) -> None:
    line = f'{{"level":"ERROR","message":"failed","what":"{planted}"}}'
    found = find_leaks(f"{USUAL}{line}\n{USUAL}", known=KNOWN)
    assert found
    assert all("failed" in one for one in found), "it says where"


def test_a_raw_body_is_found_also_when_it_is_cut_or_in_base64() -> None:
    body = b'{"event": "order.status_changed", "orderId": "ord-7c1e20", "newStatus": "accepted"}'
    pieces = pieces_of_body(body)
    for planted in (body.decode()[:60], base64.b64encode(body).decode(), json.dumps(body.decode())):
        assert find_leaks(f"{USUAL}took in {planted}\n", pieces=pieces)
    assert find_leaks(USUAL, pieces=pieces) == []


def test_usual_lines_hold_no_leak() -> None:
    assert find_leaks(USUAL, known=[*KNOWN, SECRET]) == []
    assert find_leaks("Jonasson moved to Lindenstraße 70", known=KNOWN) == []


def test_everything_that_is_logged_is_overheard_errors_too() -> None:
    logger, overheard = logging.getLogger("milepost-of-this-test"), Overheard()
    logger.addHandler(overheard)
    logger.propagate = False
    logger.warning("nothing to see")
    assert find_leaks(overheard.text) == []
    logger.error("failed", exc_info=ValueError("no place for lena@example.org"))
    assert find_leaks(overheard.text)


def test_what_is_beside_a_message_of_a_module_is_overheard_as_the_function_writes_it() -> None:
    logger, overheard, writing = (
        logging.getLogger("milepost-of-another-test"),
        Overheard(),
        logging.StreamHandler(StringIO()),
    )
    writing.setFormatter(logging.Formatter("%(message)s %(recipient)s"))
    logger.addHandler(writing)
    logger.addHandler(overheard)
    logger.propagate = False
    module = logging.getLogger("milepost-of-another-test.module")
    module.warning("sent", extra={"recipient": "lena@example.org"})
    assert find_leaks(overheard.text)
