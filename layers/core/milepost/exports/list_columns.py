"""Every list that is available as a file, with its columns, for the API, the command and the
console."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from milepost.exports.column_reading import ListColumns, as_json, inner, plain, read_by


def codes_of(attention: Sequence[Mapping[str, str]]) -> str:
    """The codes of the reasons for attention, each once."""
    return ", ".join(dict.fromkeys(one["code"] for one in attention))


def about(targets: Mapping[str, str]) -> str:
    """The targets of a change. The ids of a connection's resources contain its id."""
    shown = {name: one for name, one in targets.items() if name != "connection"} or targets
    return ", ".join(f"{name} {one}" for name, one in shown.items())


def filters_in_words(filters: Mapping[str, Sequence[str]]) -> str:
    """The filters of a saved view."""
    return " ".join(f"{name}={value}" for name, values in filters.items() for value in values)


def slowdowns_in_words(slowdowns: Sequence[Mapping[str, Any]]) -> str:
    """The stages that are slowing down."""
    return ", ".join(one["stage"] for one in slowdowns)


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def _json_of(value: Any) -> str | None:
    return as_json(value) if value else None


ORDERS: Final = ListColumns(
    columns=[
        *plain("id", "status", "next_date", "since", "appointment"),
        inner("customer", "customer", "name"),
        inner("customer_id", "customer", "id"),
        *plain("product", "supplier", "place", "reference", "connection", "provider"),
        *plain("provider_name", "order_id", "item_id", "raw_status", "service_type"),
        read_by("attention", "attention", codes_of),
        inner("waiting_for", "waiting", "what"),
        *plain("slow"),
        inner("forecast_earliest", "forecast", "earliest"),
        inner("forecast_likely", "forecast", "likely"),
        inner("forecast_latest", "forecast", "latest"),
        inner("forecast_orders", "forecast", "orders"),
        *plain("updated_at"),
    ]
)
NOTICES: Final = ListColumns(
    columns=plain(
        "at",
        "id",
        "order",
        "kind",
        "audience",
        "channel",
        "recipient",
        "state",
        "reason",
        "language",
        "due_at",
        "resend_of",
        "requested_by",
    )
)
SUPPRESSIONS: Final = ListColumns(columns=plain("since", "id", "address", "audience", "reason"))
ACTIVITY: Final = ListColumns(
    columns=[
        *plain("at", "person", "kind", "outcome"),
        read_by("about", "targets", about),
        inner("order", "targets", "order"),
        inner("connection", "targets", "connection"),
        *plain("via", "address", "status"),
        read_by("arguments", "arguments", _json_of),
        read_by("before", "before", _json_of),
        read_by("after", "after", _json_of),
        *plain("id"),
    ]
)
SUBSCRIPTIONS: Final = ListColumns(
    columns=plain(
        "id",
        "channel",
        "recipient",
        "mode",
        "language",
        "time_zone",
        "kinds",
        "connections",
        "service_types",
        "owner",
        "customer_names",
        "source",
        "ended",
    )
)
CONNECTIONS: Final = ListColumns(
    columns=[
        *plain("id", "provider"),
        inner("health", "health", "condition"),
        inner("last_success_at", "health", "last_success_at"),
        inner("last_failure_at", "health", "last_failure_at"),
        inner("last_error", "health", "last_error"),
        inner("failures", "health", "failures"),
        inner("lag_seconds", "health", "lag_seconds"),
        inner("seen_until", "health", "seen_until"),
        inner("last_webhook_at", "health", "last_webhook_at"),
        read_by("requests", "requests", len),
    ]
)
STAGES: Final = ListColumns(
    columns=[
        *plain("connection", "service_type", "stage", "raw_status", "count"),
        read_by("mean_seconds", "mean", float),
        read_by("median_seconds", "median", float),
        read_by("p90_seconds", "p90", float),
    ]
)
CAUSES: Final = ListColumns(
    columns=plain("month", "connection", "service_type", "outcome", "cause", "count", "share")
)
SCORECARDS: Final = ListColumns(
    columns=[
        *plain("scope", "name", "made_at"),
        *(inner(one, "outcomes", one) for one in ("completed", "active", "rejected")),
        *(inner(one, "outcomes", one) for one in ("failed", "cancelled")),
        *plain("on_time", "changes", "late_webhooks", "missing_webhooks"),
        read_by("slowdowns", "slowdowns", slowdowns_in_words),
        inner("forecasts_made", "forecasts", "made"),
        *(inner(one, "forecasts", one) for one in ("coverage", "cannot_say")),
        inner("error_seconds", "forecasts", "error"),
        inner("naive_error_seconds", "forecasts", "naive_error"),
    ]
)
COMMISSIONS: Final = ListColumns(
    columns=plain(
        "due_on", "state", "amount", "currency", "month", "order", "connection", "reference"
    )
)
QUARANTINE: Final = ListColumns(
    columns=plain("id", "connection", "source", "received_at", "bytes", "reason")
)
PROVIDERS: Final = ListColumns(
    columns=[
        *plain("provider", "current"),
        read_by("versions", "versions", _joined),
        read_by("connections", "connections", _joined),
    ]
)
QUEUES: Final = ListColumns(columns=plain("name", "waiting"))
MESSAGES: Final = ListColumns(
    columns=[*plain("id", "sent_at"), read_by("content", "content", as_json)]
)
VIEWS: Final = ListColumns(
    columns=[*plain("id", "name", "shared"), read_by("filters", "filters", filters_in_words)]
)
ITEMS: Final = ListColumns(
    columns=[
        *plain("id", "item_id", "status", "raw_status", "since", "reference", "service_type"),
        *plain("appointment"),
        read_by("attention", "attention", codes_of),
    ]
)
EXPORTS: Final = ListColumns(
    columns=plain(
        "created_at", "id", "list", "format", "state", "why", "rows", "size", "person", "ended_at"
    )
)
BATCHES: Final = ListColumns(
    columns=plain("created_at", "id", "action", "state", "person", "started_by", "total")
)
TARGETS: Final = ListColumns(columns=plain("number", "id", "state", "why", "at"))
