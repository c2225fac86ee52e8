"""Records changes that the command makes directly at AWS, without the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cli.errors import CannotDo, Fault
from cli.output import warn
from cli.stack import Stack, caller_name
from milepost.activity.aws.log import ActivityTable
from milepost.activity.entry import Actor, Via
from milepost.activity.recorder import Change, NotRecorded, Recorder


@contextmanager
def recorded(stack: Stack, kind: str, **ids: str) -> Iterator[Change]:
    """Record the changes made in the block in the stack's activity log, under the caller's AWS
    identity.

    :param kind: what is done, such as ``rotate_signing_secret``
    :param ids: what it is about; ``connection`` for a connection
    :raises CannotDo: when it can't be noted; nothing was done then
    """
    person = caller_name(stack)
    log = ActivityTable(
        stack.client("dynamodb"),
        table_name=stack.output("ActivityTable"),
        days_kept=int(stack.output("ActivityDays")),
    )
    recorder = Recorder(
        log=log, clock=lambda: datetime.now(UTC), not_completed=_say_that_its_end_is_missing
    )
    actor = Actor(person=person, subject=f"aws:{person}")
    try:
        with recorder.recording(
            kind=kind, actor=actor, via=Via.COMMAND, refusals=(Fault,), **ids
        ) as change:
            yield change
    except NotRecorded as error:
        raise CannotDo(
            f"The change can't be recorded in the activity log of {stack.name}, "
            f"so it was not made ({type(error.__cause__).__name__}). You need "
            "dynamodb:PutItem on its ActivityTable."
        ) from None


def _say_that_its_end_is_missing(error: Exception) -> None:
    warn(
        "The change was made, but its outcome could not be recorded in the "
        f"activity log ({type(error).__name__}): the entry stays `started`."
    )
