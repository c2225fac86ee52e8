"""A queue's batch: who comes back, and who was taken all the same."""

from typing import Any

from milepost.aws.batches import take_each
from tests.batches import sqs_batch


def test_the_messages_that_fail_come_back_and_delay_none_of_the_others() -> None:
    batch, taken = sqs_batch(["good", "bad", "good", "bad"]), []

    def take(message: Any) -> None:
        if message["body"] == "bad":
            raise KeyError("whatever")
        taken.append(message["messageId"])

    ids = [one["messageId"] for one in batch["Records"]]
    assert take_each(batch, take) == {
        "batchItemFailures": [{"itemIdentifier": ids[1]}, {"itemIdentifier": ids[3]}]
    }
    assert taken == [ids[0], ids[2]]


def test_a_batch_of_which_all_fails_comes_back_whole_and_is_no_error() -> None:
    def refuse(message: Any) -> None:
        raise ValueError(message)

    assert len(take_each(sqs_batch(["a", "b"]), refuse)["batchItemFailures"]) == 2
