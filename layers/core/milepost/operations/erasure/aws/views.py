"""A place of an erasure: saved views, since their names are free text.

Short: nothing is removed here. A view belongs to who works with it, who has to rename or delete it.
"""

from collections.abc import Callable, Iterable
from typing import Final

from milepost.aws.errors import AWS_FAILED, name_of
from milepost.operations.erasure.aws.sweep import Sweep
from milepost.operations.erasure.judged_text import judge_value
from milepost.operations.erasure.place import PlaceNotRead, Swept
from milepost.operations.erasure.subject import NOTHING, SHORT_ID, Judgement, Subject, Verdict
from milepost.queries.saved_views import View

NAMES_THEM: Final = Judgement(
    Verdict.UNSURE,
    "the name, the id or a filter of this view contains an address, a phone number, a name or an"
    " id of theirs: it has to be renamed or deleted by the person whose view it is",
)


class ViewsOfCustomers:
    """Implements ``place.Place``."""

    name = "saved_views"

    def __init__(self, everybodys: Callable[[], Iterable[tuple[str, View]]]) -> None:
        """:param everybodys: every view, with the place where it is stored"""
        self._everybodys = everybodys

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:  # noqa: ARG002 - as every place
        swept = Sweep(self.name)
        try:
            for place, view in self._everybodys():
                swept.is_theirs(_judge(view, subject), f"{place}/{view.id}")
        except AWS_FAILED as error:
            raise PlaceNotRead(f"saved views can't be read now ({name_of(error)})") from None
        return swept.result()


def _judge(view: View, subject: Subject) -> Judgement:
    """Whether a text contains one of the ids. Short ids don't count: a view named "top 100" has
    nothing to do with the order 100.
    """
    texts = [view.name, view.id.replace("-", " "), view.id, *view.filters]
    texts += [value for values in view.filters.values() for value in values]
    connections = sorted({connection for connection, _ in subject.groups})
    found = [judge_value(texts, subject, connection=one) for one in (None, *connections)]
    names_them = any(one.verdict is not Verdict.OTHERS and one != SHORT_ID for one in found)
    return NAMES_THEM if names_them else NOTHING
