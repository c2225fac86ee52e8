"""Judges notices, and reduces the orders of notices to chats to the facts that a chat may show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from milepost.notifications.chat.shown_facts import disclosed
from milepost.notifications.eligibility_facts import Judge, Judged
from milepost.notifications.notice import CHATS, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosingJudge(Judge):
    """A judge that reads all facts, and passes on only the facts of an order that its chat may
    show.

    Each notice of a digest has its own subscription, which allows the customer's name or doesn't.
    """

    def judge(self, notices: Sequence[Notice], *, now: datetime) -> Iterator[Judged]:
        # Not super(): a dataclass with slots is another class than the one written here.
        for judged in Judge.judge(self, notices, now=now):
            yield disclosed_to_chat(judged) if judged.notice.channel in CHATS else judged


def disclosed_to_chat(judged: Judged) -> Judged:
    """The judged notice, with only the facts of the order that its chat may show."""
    tracked, subscription = judged.facts.tracked, judged.facts.subscription
    if tracked is None or tracked.erased_at is not None:
        return judged
    order = disclosed(
        tracked.order,
        with_name=subscription is not None and subscription.customer_names,
        withheld=_withheld(judged.voice.language),
    )
    shown = replace(tracked, order=order)
    return replace(judged, facts=replace(judged.facts, tracked=shown))


def _withheld(language: str) -> str:
    # Only here: a cold start that calls endpoints alone doesn't load the languages of mails.
    from milepost.notifications.mail.rendering.languages import (  # noqa: PLC0415
        language_for,
        words_of,
    )

    text: str = words_of(language_for(language))["withheld_in_chats"]
    return text
