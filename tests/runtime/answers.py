"""The expected response of a function to its events, by the kind or name of the event."""

from collections.abc import Mapping
from typing import Any, Final

STATUSES: Final[Mapping[str, set[int]]] = {
    "console/orders": {303},
    "orders_api/note_an_order": {200, 404},
    "orders_api/show_order": {200, 404},
    "orders_api/unknown_order": {404},
    "receive_webhook/bad_signature": {401},
    "receive_webhook/get_instead_of_post": {405},
    "receive_webhook/no_signature": {401},
    "receive_webhook/unknown_connection": {401, 404},
    "tracking_page/calendar": {200, 404, 410},
    "tracking_page/link_cut_off": {404},
    "tracking_page/shown": {200, 404, 410},
    "unsubscribe/asked": {200, 404},
    "unsubscribe/link_cut_off": {404},
    "unsubscribe/one_click": {200, 404},
}
"""Other statuses than 200 to 299. Two where it depends on what the stack holds, or whose secret
made a link."""
FAILED: Final[Mapping[str, list[int]]] = {
    "announce/one_poison_of_three": [1],
    "call_endpoint/poison": [0],
    "measure_stages/one_poison_of_three": [1],
    "record_report/one_poison_of_three": [1],
    "run_batches/poison": [0],
    "send_notice/one_poison_of_two": [0],
}
"""Which records of a batch fail, by their place. None of any other batch."""


def check_answer(name: str, event: Any, answer: Any) -> None:
    """Check that the response has the form that AWS needs for this kind of event, and the expected
    content.

    :param name: folder and name of the event: ``announce/accepted``
    """
    if "requestContext" in event:
        _check_http(name, answer)
    elif "Records" in event and "batchItemFailures" in (answer or {}):
        failed = [_identity(event["Records"][place]) for place in FAILED.get(name, [])]
        found = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        assert found == failed, name
    else:
        assert name not in FAILED
        assert isinstance(answer, dict), f"{name}: {answer!r}"
        assert not answer.get("failed"), f"{name}: {answer}"
        assert answer.get("outcome") != "failed", f"{name}: {answer}"


def _check_http(name: str, answer: Any) -> None:
    """Payload format 2.0. Source: API Gateway developer guide, "Lambda proxy integrations"."""
    assert isinstance(answer["statusCode"], int), name
    assert answer["statusCode"] in STATUSES.get(name, range(200, 300)), f"{name}: {answer}"
    assert isinstance(answer["body"], str), name
    assert all(isinstance(one, str) for one in answer["headers"].values()), name


def _identity(record: Mapping[str, Any]) -> str:
    return str(record.get("messageId") or record["dynamodb"]["SequenceNumber"])
