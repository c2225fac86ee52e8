"""The API's schemas of exports: requests and responses."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator

from milepost.api.json_model import Shape
from milepost.common.email_addresses import BadAddress, ascii_address
from milepost.common.timestamps import format_instant
from milepost.exports.export import Export, ExportState
from milepost.exports.files import Format
from milepost.exports.start import Link

Value = Annotated[str, Field(min_length=1, max_length=500)]
Values = Annotated[Sequence[Value], Field(min_length=1, max_length=100)]
ListName = Literal["orders", "notices", "suppressions", "activity"]


class ExportAsked(Shape):
    """The list and the form of the file."""

    model_config = ConfigDict(extra="forbid")

    list: ListName
    query: dict[str, Value | Annotated[Sequence[Value], Field(min_length=1, max_length=100)]] = (
        Field(
            default_factory=dict,
            max_length=30,
            description="Parameters of the list, such as `status` and `sort` of `GET /orders`.",
            examples=[{"status": ["accepted", "scheduled"], "due": "this_week"}],
        )
    )
    columns: Sequence[Value] | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="The columns of the file, as for lists as files.",
    )
    format: Literal["csv", "jsonl"] = "csv"
    bom: bool = Field(default=False, description="Begin CSV with a byte order mark.")
    mail: str | None = Field(
        default=None,
        max_length=254,
        description="An address to notify when the export is ready. The mail "
        "contains no data of the list; its link leads to the "
        "console.",
    )

    @field_validator("mail")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        try:
            return None if value is None else ascii_address(value.strip())
        except BadAddress as error:
            raise ValueError(str(error)) from None


class ExportView(Shape):
    """An export and its progress."""

    id: str
    list: str
    format: Literal["csv", "jsonl"]
    columns: Sequence[str] | None = Field(description="The chosen columns; empty for all.")
    person: str
    state: ExportState
    why: str | None = Field(description="Why it failed, or why its file is gone.")
    rows: int = Field(description="Rows written so far.")
    expected: int | None = Field(
        description="The number of rows when the export began, if it is known."
    )
    size: int | None = Field(description="Bytes of the file.")
    created_at: str
    ended_at: str | None
    available_until: str = Field(description="When the file is deleted.")


class LinkedExport(ExportView):
    """An export with a link to its file, once it is ready."""

    file: str = Field(description="The name of the file.", examples=["orders-2026-11-27.csv"])
    link: str | None = Field(
        description="A link that opens the file for anybody who has it. It is "
        "created for each request, for roles that may see "
        "everything in the file."
    )
    link_until: str | None = Field(
        description="When the link expires at the latest. If it expires "
        "sooner, request the export again."
    )


class ExportList(Shape):
    """A page of exports, the latest first."""

    exports: list[ExportView]
    next: str | None = Field(description="The cursor of the next page; none after the last one.")


def export_view(export: Export, *, state: ExportState, why: str | None) -> ExportView:
    return ExportView(
        id=export.id,
        list=export.list_name,
        format="csv" if export.file_format is Format.CSV else "jsonl",
        columns=list(export.columns) if export.columns is not None else None,
        person=export.person,
        state=state,
        why=why,
        rows=export.rows,
        expected=export.expected,
        size=export.size,
        created_at=format_instant(export.created_at),
        ended_at=format_instant(export.ended_at) if export.ended_at else None,
        available_until=format_instant(export.available_until),
    )


def linked_export(
    export: Export, link: Link | None, *, state: ExportState, why: str | None
) -> LinkedExport:
    return LinkedExport(
        **export_view(export, state=state, why=why).model_dump(),
        file=export.file_name,
        link=link.address if link else None,
        link_until=format_instant(link.holds_until) if link else None,
    )
