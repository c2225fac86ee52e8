"""Creates an export's file: once, even if its event arrives twice or a worker is killed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from milepost.exports.column_reading import ListColumns
from milepost.exports.export import (
    MOST_ATTEMPTS,
    CannotExport,
    Export,
    Exports,
    ExportState,
    Files,
    Mailer,
    Rows,
    Writing,
    named_in,
)
from milepost.exports.files import header_of, lines_of

NOTED_EVERY: Final = timedelta(seconds=2)
"""How often the progress of an export is stored."""


class LostClaim(Exception):
    """Another worker has taken over, so this one stops writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWorker:
    """Creates the files of exports and sends their mails."""

    exports: Exports
    files: Files
    rows: Rows
    mailer: Mailer
    columns_of: Callable[[str], ListColumns]
    """The columns of a list, by its name."""
    clock: Callable[[], datetime]

    def work(
        self, export_id: str, *, invocation: str, has_time: Callable[[], bool]
    ) -> ExportState | None:
        """Create one export; returns its state afterwards, or None if there is no such export.

        While another worker has the claim, this one does nothing: if that worker is killed, its own
        invocation is retried.
        """
        export = self.exports.find(export_id)
        if export is None or (export.is_ended and export.mail_to is None):
            return export.state if export else None
        claim = self.exports.claim(export_id, invocation=invocation, at=self.clock())
        if claim is None:
            return export.state
        try:
            if not export.is_ended:
                export = self._make(export, claim, has_time)
            if export.mail_to is not None:
                self.mailer.send(export)
            self.exports.mailed(export_id, claim=claim)
        except LostClaim:
            return ExportState.RUNNING
        return export.state

    def _make(self, export: Export, claim: str, has_time: Callable[[], bool]) -> Export:
        try:
            rows, size = self._write(export, claim, has_time)
        except CannotExport as no:
            return self._settle(export, claim, state=ExportState.FAILED, why=str(no))
        except LostClaim:
            raise
        except Exception as error:
            if export.attempts + 1 >= MOST_ATTEMPTS:
                why = f"an internal error ({type(error).__name__}), {MOST_ATTEMPTS} times"
                failed = self._settle(export, claim, state=ExportState.FAILED, why=why)
                if failed.mail_to is not None:
                    self.mailer.send(failed)
                self.exports.mailed(export.id, claim=claim)
            raise
        return self._settle(export, claim, state=ExportState.READY, rows=rows, size=size)

    def _write(self, export: Export, claim: str, has_time: Callable[[], bool]) -> tuple[int, int]:
        """Write the file; returns the number of rows and bytes."""
        file = self.files.open(export)
        try:
            return self._write_rows(export, claim, has_time, file)
        except BaseException:
            file.abort()
            raise

    def _write_rows(
        self, export: Export, claim: str, has_time: Callable[[], bool], file: Writing
    ) -> tuple[int, int]:
        columns = self.columns_of(export.list_name)
        if export.columns is not None:
            columns = columns.choose(export.columns)
        how = {"file_format": export.file_format}
        file.write(header_of(columns, bom=export.bom, **how))
        number, named, noted_at = 0, dict[str, None](), self.clock()
        for some in self.rows.read(export):
            is_chosen = export.columns is not None
            file.write(lines_of(some, columns, is_chosen=is_chosen, **how))
            number += len(some)
            for row in some:
                named |= dict.fromkeys(named_in(export.list_name, row))
            now = self.clock()
            if now >= noted_at + NOTED_EVERY:
                self._note(export, claim, number, now)
                noted_at = now
            if not has_time():
                raise CannotExport(
                    f"it took too long: {number:,} rows were written by then. Choose fewer by "
                    "filters"
                )
        # If another worker has finished the export meanwhile, its file is kept.
        self._note(export, claim, number, self.clock())
        return number, file.finish(named)

    def _note(self, export: Export, claim: str, rows: int, now: datetime) -> None:
        if not self.exports.note(export.id, claim=claim, rows=rows, at=now):
            raise LostClaim

    def _settle(self, export: Export, claim: str, **outcome: object) -> Export:
        settled = replace(export, ended_at=self.clock(), **outcome)  # type: ignore[arg-type]
        if not self.exports.settle(settled, claim=claim):
            raise LostClaim
        return settled
