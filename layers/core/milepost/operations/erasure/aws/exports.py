"""A place of an erasure: files of exports, which are found by an index of their orders and
addresses."""

from typing import Final

from milepost.aws.errors import AWS_FAILED, name_of
from milepost.exports.aws.bucket import ExportFiles
from milepost.exports.aws.table import ExportsTable
from milepost.operations.erasure.aws.sweep import Sweep
from milepost.operations.erasure.place import Budget, PlaceNotRead, Swept
from milepost.operations.erasure.subject import NOTHING, THEIRS, Judgement, Subject
from milepost.orders.order import BadOrderId, OrderKey

WHY: Final = "a customer who was in it was erased: make the export again"


class ExportsOfCustomers:
    """Implements ``place.Place``. A file with a row of the customer is deleted, even if it also has
    rows of other customers: the export can be made again."""

    name = "exports"

    def __init__(self, files: ExportFiles, exports: ExportsTable, budget: Budget) -> None:
        self._files = files
        self._exports = exports
        self._budget = budget

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = Sweep(self.name)
        try:
            for export_id in self._files.indexed():
                if not self._budget.has_time():
                    swept.is_whole = False
                    break
                found = self._judge(export_id, subject)
                if swept.is_theirs(found, export_id) and not dry_run:
                    self._files.delete(export_id)
                    self._exports.remove(export_id, why=WHY)
        except AWS_FAILED as error:
            raise PlaceNotRead(f"exports can't be read now ({name_of(error)})") from None
        return swept.result()

    def _judge(self, export_id: str, subject: Subject) -> Judgement:
        export = self._exports.find(export_id)
        subject = subject.as_of(export.created_at if export else None)
        named = self._files.named(export_id)
        return THEIRS if any(_is_theirs(one, subject) for one in named) else NOTHING


def _is_theirs(named: str, subject: Subject) -> bool:
    kind, _, value = named.partition(" ")
    if kind == "address":
        return subject.owns_email(value)
    try:
        key = OrderKey.parse(value)
    except BadOrderId:
        return False
    return subject.owns_order(key.connection, key.order_id)
