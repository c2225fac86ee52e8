"""The URLs of the stack's dead-letter queues. Short: functions and operators share it."""

from collections.abc import Mapping


def dead_letter_urls(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The URL of every dead-letter queue, by the name that the command calls it.

    ``DEAD_LETTERS`` has ``name=queue`` for each, separated by spaces. All queues of a stack differ
    in the last part of their URL alone.
    """
    place = environment["EMAIL_QUEUE_URL"].rpartition("/")[0]
    named = (one.split("=") for one in environment["DEAD_LETTERS"].split())
    return {name: f"{place}/{queue}" for name, queue in named}
