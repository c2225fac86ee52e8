"""Dead letters: looked at, taken up again, discarded; against queues, a bucket and announce."""

import io
import json
from collections.abc import Callable
from contextlib import closing
from types import ModuleType
from typing import Any

import pytest

from milepost.operations.aws.dead_letters import (
    BackIntoQueue,
    ReannounceTarget,
    SqsLetters,
    StartAgain,
)
from milepost.operations.dead_letters import (
    IN_FLIGHT,
    DeadLetter,
    DeadLetterQueue,
    MessagesInFlight,
    Redriven,
    RedriveTarget,
)
from tests.integration.queued_messages import put
from tests.stack import Context, Stack, aws, event

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:milepost-poll-orders"


KEY = "aws/lambda/5b1f0c9e/shardId-0/2026/03/02/2026-03-02T12.00.00-1"


class Functions:
    """Lambda's client, with functions that are called at once."""

    def __init__(self, run: Callable[[Any], Any] = lambda _: None) -> None:
        self._run = run
        self.invoked: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes, **_: str) -> dict[str, Any]:  # noqa: N803
        payload = json.loads(Payload)
        self.invoked.append((FunctionName, payload))
        return {"Payload": io.BytesIO(json.dumps(self._run(payload)).encode())}


def letters(stack: Stack, queue: str) -> SqsLetters:
    return SqsLetters(aws("sqs"), queue_url=stack.resources[queue], wait_seconds=0)


def queue_of(stack: Stack, queue: str, way: RedriveTarget) -> DeadLetterQueue:
    return DeadLetterQueue(name="tested", letters=letters(stack, queue), way=way)


@pytest.fixture
def inbox(stack: Stack) -> DeadLetterQueue:
    way = BackIntoQueue(aws("sqs"), queue_url=stack.resources["InboxQueue"])
    return queue_of(stack, "InboxDeadLetters", way)


@pytest.mark.thorough
def test_every_letter_goes_back_as_it_was(stack: Stack, inbox: DeadLetterQueue) -> None:
    bodies = [{"number": number} for number in range(23)]
    put(stack, "InboxDeadLetters", *bodies)
    came = inbox.redrive()
    assert (came.moved, came.failed, came.left) == (23, {}, 0)
    assert sorted(stack.messages("InboxQueue"), key=lambda one: int(one["number"])) == bodies


class SlowWay(BackIntoQueue):
    """Takes 25 seconds for each letter, as a slow ``announce`` may."""

    def __init__(self, stack: Stack, act: Callable[[], Any] = lambda: None) -> None:
        super().__init__(aws("sqs"), queue_url=stack.resources["InboxQueue"])
        self._act = act
        self.seconds = 0.0

    def take_up(self, letter: DeadLetter) -> None:
        super().take_up(letter)
        self.seconds += 25
        self._act()


def slow_queue(stack: Stack, way: SlowWay) -> DeadLetterQueue:
    url = stack.resources["InboxDeadLetters"]
    letters = SqsLetters(aws("sqs"), queue_url=url, wait_seconds=0, clock=lambda: way.seconds)
    return DeadLetterQueue(name="tested", letters=letters, way=way)


def test_a_slow_redrive_keeps_its_letters_from_another_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stack, "InboxDeadLetters", {"number": 1}, {"number": 2}, {"number": 3})
    hidden = list[int]()
    change = SqsLetters._hide

    def note(letters: SqsLetters, letter: DeadLetter, *, seconds: int) -> bool:
        hidden.append(seconds)
        return change(letters, letter, seconds=seconds)

    monkeypatch.setattr(SqsLetters, "_hide", note)
    came = slow_queue(stack, SlowWay(stack)).redrive()
    assert (came.moved, came.left) == (3, 0)
    assert hidden == [60, 60], "the second and the third are hidden for a minute more"


def test_who_was_too_slow_leaves_a_letter_to_the_one_who_has_it(stack: Stack) -> None:
    put(stack, "InboxDeadLetters", {"number": 1}, {"number": 2})
    url, theirs = stack.resources["InboxDeadLetters"], list[str]()

    def discard_the_other() -> None:
        while not theirs and slow.letters._held:  # type: ignore[attr-defined]
            for held in slow.letters._held.values():  # type: ignore[attr-defined]
                aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=held.receipt)
                theirs.append(held.body)

    way = SlowWay(stack, act=discard_the_other)
    slow = slow_queue(stack, way)
    put_back = slow.redrive()
    assert len(theirs) == 2
    assert (put_back.moved, put_back.left) == (1, 0), "what another has discarded is not redriven"
    assert len(stack.messages("InboxQueue")) == 1


def test_looking_at_letters_leaves_them_where_they_are(
    stack: Stack, inbox: DeadLetterQueue
) -> None:
    put(stack, "InboxDeadLetters", {"number": 1}, {"number": 2})
    for _ in range(2):
        seen = [inbox.way.content(letter) for letter in inbox.letters.walk(most=10)]
        assert sorted(one["number"] for one in seen) == [1, 2]
    assert inbox.letters.count() == 2


def test_while_somebody_else_has_the_letters_nothing_is_said_to_be_done(
    stack: Stack, inbox: DeadLetterQueue
) -> None:
    put(stack, "InboxDeadLetters", {"number": 1}, {"number": 2})
    colleague = SqsLetters(
        aws("sqs"), queue_url=stack.resources["InboxDeadLetters"], wait_seconds=0
    )
    with closing(colleague.walk(most=10)) as looking:
        letter = next(looking)
        with pytest.raises(MessagesInFlight):
            inbox.redrive()
        with pytest.raises(MessagesInFlight):
            inbox.discard(letter.id)
        named = inbox.redrive(only={letter.id})
    assert (named.moved, named.failed, named.left) == (0, {letter.id: IN_FLIGHT}, 2)
    assert inbox.redrive().moved == 2


def test_what_is_redriven_beside_letters_in_flight_is_counted_with_what_is_left(
    stack: Stack, inbox: DeadLetterQueue
) -> None:
    url = stack.resources["InboxDeadLetters"]
    put(stack, "InboxDeadLetters", {"number": 1})
    with closing(SqsLetters(aws("sqs"), queue_url=url, wait_seconds=0).walk(most=1)) as looking:
        next(looking)
        put(stack, "InboxDeadLetters", {"number": 2})
        came = inbox.redrive()
    assert (came.moved, came.failed, came.left) == (1, {}, 1)


def test_a_letter_that_nobody_has_is_not_there(inbox: DeadLetterQueue) -> None:
    assert inbox.redrive() == Redriven(moved=0, failed={}, left=0)
    assert not inbox.discard("gone")


def test_one_letter_is_redriven_and_the_others_stay(stack: Stack, inbox: DeadLetterQueue) -> None:
    put(stack, "InboxDeadLetters", {"number": 1}, {"number": 2}, {"number": 3})
    chosen = next(iter(inbox.letters.walk(most=10)))
    came = inbox.redrive(only={chosen.id})
    assert (came.moved, came.left) == (1, 2)
    assert stack.messages("InboxQueue") == [json.loads(chosen.body)]


def test_one_letter_is_discarded(stack: Stack, inbox: DeadLetterQueue) -> None:
    put(stack, "InboxDeadLetters", {"number": 1}, {"number": 2})
    chosen = next(iter(inbox.letters.walk(most=10)))
    assert inbox.discard(chosen.id)
    assert not inbox.discard(chosen.id)
    assert inbox.letters.count() == 1


def test_when_the_queue_takes_nothing_the_letters_stay(
    stack: Stack, inbox: DeadLetterQueue
) -> None:
    put(stack, "InboxDeadLetters", {"number": 1})
    aws("sqs").delete_queue(QueueUrl=stack.resources["InboxQueue"])
    came = inbox.redrive()
    assert (came.moved, came.left) == (0, 1)
    assert all("did not accept it" in why for why in came.failed.values())


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        (
            {
                "requestContext": {"functionArn": f"{FUNCTION}:$LATEST"},
                "requestPayload": {"connection": "rabot-energy"},
            },
            {},
        ),
        ({"connection": "rabot-energy"}, {"TARGET_ARN": FUNCTION}),
    ],
    ids=["an invocation that failed", "a schedule that could not start it"],
)
def test_a_function_that_could_not_be_run_is_run(
    body: Any, attributes: dict[str, str], stack: Stack
) -> None:
    put(stack, "FailedInvocations", body, **attributes)
    functions = Functions()
    assert queue_of(stack, "FailedInvocations", StartAgain(functions)).redrive().moved == 1
    assert functions.invoked == [(FUNCTION, {"connection": "rabot-energy"})]


def test_a_letter_that_names_no_function_stays(stack: Stack) -> None:
    put(stack, "FailedInvocations", "what is this")
    came = queue_of(stack, "FailedInvocations", StartAgain(Functions())).redrive()
    assert (came.moved, came.left) == (0, 1)


@pytest.fixture
def announce(stack: Stack) -> ModuleType:
    return stack.load("announce")


def keep_unannounced(stack: Stack, *, as_text: bool = True) -> None:
    """As Lambda leaves a batch in the bucket, and EventBridge a letter of it."""
    bucket = stack.resources["UnannouncedBucket"]
    batch = event("announce", "accepted")
    record = {"version": "1.0", "payload": json.dumps(batch) if as_text else batch}
    aws("s3").put_object(Bucket=bucket, Key=KEY, Body=json.dumps(record).encode())
    detail = {"bucket": {"name": bucket}, "object": {"key": KEY}}
    put(stack, "AnnounceFailures", {"source": "aws.s3", "detail": detail})


def unannounced(stack: Stack, run: Callable[[Any], Any]) -> DeadLetterQueue:
    way = ReannounceTarget(Functions(run), lambda: aws("s3"), announce="announce")
    return queue_of(stack, "AnnounceFailures", way)


@pytest.mark.parametrize("as_text", [True, False], ids=["a text", "an object"])
def test_what_could_not_be_announced_is_told_once_and_nothing_of_it_is_kept(
    as_text: bool, announce: ModuleType, stack: Stack
) -> None:
    queue = unannounced(stack, lambda payload: announce.handler(payload, Context()))
    for _ in range(2):
        keep_unannounced(stack, as_text=as_text)
        came = queue.redrive()
        assert (came.moved, came.left) == (1, 0)
        assert stack.objects("UnannouncedBucket") == {}
    log = [one for one in stack.items("NoticesTable") if one["sk"].startswith("notice#")]
    assert [one["state"] for one in log if one["channel"] == "sns"] == ["sent"]


def test_what_still_cannot_be_announced_is_kept_whole(stack: Stack) -> None:
    keep_unannounced(stack)
    before = stack.objects("UnannouncedBucket")
    queue = unannounced(stack, lambda _: {"batchItemFailures": [{"itemIdentifier": "1"}]})
    came = queue.redrive()
    assert (came.moved, came.left) == (0, 1)
    assert stack.objects("UnannouncedBucket") == before


@pytest.mark.parametrize("as_text", [True, False], ids=["a text", "an object"])
def test_a_look_at_an_unannounced_change_shows_its_records(as_text: bool, stack: Stack) -> None:
    keep_unannounced(stack, as_text=as_text)
    queue = unannounced(stack, lambda _: None)
    (seen,) = [queue.way.content(letter) for letter in queue.letters.walk(most=10)]
    assert seen["payload"] == event("announce", "accepted")


def test_a_second_letter_about_one_record_is_done_with_the_first(stack: Stack) -> None:
    keep_unannounced(stack)
    keep_unannounced(stack)
    told: list[Any] = []
    came = unannounced(stack, lambda payload: told.append(payload) or {}).redrive()
    assert (came.moved, came.failed, came.left) == (2, {}, 0)
    assert told == [event("announce", "accepted")]


def test_a_look_at_a_letter_whose_record_is_gone_says_so(stack: Stack) -> None:
    keep_unannounced(stack)
    aws("s3").delete_object(Bucket=stack.resources["UnannouncedBucket"], Key=KEY)
    queue = unannounced(stack, lambda _: None)
    (seen,) = [queue.way.content(letter) for letter in queue.letters.walk(most=10)]
    assert seen["missing"] == "its record no longer exists"


@pytest.mark.parametrize("body", ["[]", "{}", "no json"])
def test_a_record_that_is_none_of_lambdas_stays_for_a_person(body: str, stack: Stack) -> None:
    keep_unannounced(stack)
    aws("s3").put_object(Bucket=stack.resources["UnannouncedBucket"], Key=KEY, Body=body.encode())
    came = unannounced(stack, lambda _: None).redrive()
    assert (came.moved, came.left) == (0, 1)
    assert ["not one of Lambda's" in why for why in came.failed.values()] == [True]
