"""Exports: long lists as files that a job makes. Start one, follow it, get a link to its file."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from milepost.api import text_patterns
from milepost.api.app import Api
from milepost.api.dependencies import Given, Recorded, Who
from milepost.api.export_schema import (
    ExportAsked,
    ExportList,
    ExportView,
    LinkedExport,
    export_view,
    linked_export,
)
from milepost.api.filters import within_body
from milepost.api.idempotency_key import KeyHeader, reused
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, Cursor, Limit, read_cursor, write_cursor
from milepost.api.problems import Fault, NotFound, Problem
from milepost.api.routes.export_lists import NOT_IN_EXPORTS, ThisApi, ask_list, columns_of
from milepost.common.idempotency import KeyReused
from milepost.exports.column_reading import UnknownColumn
from milepost.exports.export import Export, NoSuchExport
from milepost.exports.files import Format

router = Router()

_LIST: Final = "exports"

ExportPath = Annotated[
    str,
    Path(
        description="An export's id, from the response to its request.",
        pattern=text_patterns.EXPORT_ID,
    ),
]


@router.post(
    "/exports",
    summary="Export a long list as a file, by a job; viewers may do this too",
    tags=["exports"],
    operation_id="make_export",
    status_code=202,
    responses=may_answer(202, 422),
)
def make_export(
    asked: Annotated[ExportAsked, Body()],
    *,
    services: Given,
    caller: Who,
    change: Recorded,
    api: ThisApi,
    key: KeyHeader = None,
) -> Response[ExportView]:
    export = _with_count(
        Export(
            id="",
            list_name=asked.list,
            file_format=Format.CSV if asked.format == "csv" else Format.JSON_LINES,
            person=caller.person,
            subject=caller.subject,
            created_at=datetime.min.replace(tzinfo=UTC),
            query=_query(asked),
            columns=_columns(asked),
            bom=asked.bom,
            mail_to=asked.mail,
        ),
        replace(api, services=services),
    )
    try:
        started = services.exports.start(export, request=f"{caller.subject}#{key}" if key else None)
    except KeyReused as error:
        raise reused(error) from None
    change.concerns(export=started.id)
    change.connections |= services.narrowed_to or frozenset()
    change.changed(after={"list": asked.list})
    state, why = started.as_of(services.clock())
    return Response(
        status_code=202,
        content_type="application/json",
        body=export_view(started, state=state, why=why),
    )


@router.get(
    "/exports",
    summary="Exports of the last seven days, the latest first",
    tags=["exports"],
    operation_id="list_all_exports",
    responses=may_answer(200),
)
def listed_exports(
    services: Given,
    *,
    limit: Limit = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> ExportList:
    after = None
    if cursor is not None:
        after = read_cursor(cursor, of_list=_LIST, keys=services.cursor_keys.keys())
        if not isinstance(after, str):
            raise BadCursor
    found, last = services.exports.page(after=after, limit=services.rows(limit))
    now = services.clock()
    shown = [(one, *one.as_of(now)) for one in found]
    return ExportList(
        exports=[export_view(one, state=state, why=why) for one, state, why in shown],
        next=None
        if last is None
        else write_cursor(last, of_list=_LIST, keys=services.cursor_keys.keys()),
    )


@router.get(
    "/exports/<export>",
    summary="The progress of an export, and a link to its file",
    tags=["exports"],
    operation_id="show_export",
    responses=may_answer(200, 404),
)
def show_export(export: ExportPath, services: Given) -> LinkedExport:
    desk = services.exports
    try:
        found = desk.find(export)
    except NoSuchExport:
        raise NotFound(
            f"There is no export {export}, or it has orders of other connections; exports are "
            "listed for seven days."
        ) from None
    state, why = found.as_of(services.clock())
    return linked_export(found, desk.link(found), state=state, why=why)


def _query(asked: ExportAsked) -> dict[str, list[str]]:
    if strange := sorted(asked.query.keys() & NOT_IN_EXPORTS):
        what = "leave it out: an export has the whole list"
        faults = [Fault(where=f"body.query.{one}", what=what) for one in strange]
        raise Problem(422, f"`{strange[0]}`: {what}.", errors=faults)
    return {
        name: [values] if isinstance(values, str) else list(values)
        for name, values in asked.query.items()
    }


def _columns(asked: ExportAsked) -> tuple[str, ...] | None:
    if asked.columns is None:
        return None
    try:
        return columns_of(asked.list).choose(asked.columns).names
    except UnknownColumn as error:
        fault = Fault(where="body.columns", what=str(error).rstrip("."))
        raise Problem(422, str(error), errors=[fault]) from None


def _with_count(export: Export, api: Api) -> Export:
    """The export with the number of its rows, where that is known. Reading the first row also
    checks the filters and the role, as for the list itself.

    :raises Problem: as the list's route raises it
    """
    parameters = dict(export.query) | {"limit": ["1"]}
    if export.list_name == "orders":
        parameters["count"] = ["true"]
    try:
        page = ask_list(
            api, export.list_name, parameters, person=export.person, subject=export.subject
        )
    except Problem as problem:
        raise within_body(problem, "body.query") from None
    matching = page.get("matching")
    if matching is None or matching["more"]:
        return export
    return replace(export, expected=matching["number"])
