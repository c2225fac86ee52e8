"""The URLs of the stack's dead-letter queues. Short: functions and operators share it."""

from collections.abc import Mapping


def dead_letter_urls(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The URL of every dead-letter queue, by the name that the command uses.

    ``DEAD_LETTERS`` has ``name=queue`` for each, separated by spaces. The URLs of a stack's queues
    differ only in their last part.
    """
    place = environment["EMAIL_QUEUE_URL"].rpartition("/")[0]
    named = (one.split("=") for one in environment["DEAD_LETTERS"].split())
    return {name: f"{place}/{queue}" for name, queue in named}
