"""``milepost providers new`` and ``test``: work with captured answers, without a stack."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cli.errors import COULD_NOT, WrongUse
from cli.options import JsonOption
from cli.output import tell, tell_json, tell_table, warn
from cli.providers.draft import NoOrders, propose
from cli.providers.file import read_provider
from cli.providers.samples import Outcome, paths_of, read_samples, replay
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_json
from milepost.providers.declared.file_format import Declaration

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Such as providers/heatly.yaml.", show_default=False)
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The provider's name.")]


def propose_file(
    name: NameArgument,
    *,
    captured: Annotated[
        Path,
        typer.Option(
            "--from", help="A captured response of the provider's list of orders, as JSON."
        ),
    ],
) -> None:
    """Print a proposed file for a new provider, derived from a captured list of orders.

    Correct what can't be derived: addresses, sign-in, pages, where the response for one order has
    it, and what each status word means.
    """
    try:
        content = propose(name, read_json(captured.read_bytes()))
    except (OSError, BadPayload) as error:
        raise WrongUse(f"{captured} can't be read: {error}") from None
    except NoOrders:
        raise WrongUse(f"{captured} has no list of orders.") from None
    tell("# yaml-language-server: $schema=../docs/schemas/provider.v1.json")
    tell(as_yaml(content))
    warn(
        "Correct base_url, sign_in, list.path, list.pages, one_order, and the status of each word."
    )


def try_file(
    file: FileArgument,
    *,
    samples: Annotated[
        Path | None,
        typer.Option(
            "--samples",
            help="A directory with list*.json, order*.json and webhook*.json. "
            "By default the one next to the file, with the same name.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read captured responses and webhooks as the file says; sends no requests.

    Shows the resulting orders, where each field is read with its first value, and what isn't used.
    Exit code 1 if something can't be read, or if a status word has no sample.
    """
    path = existing_file(file)
    said = read_provider(path)
    outcome = replay(said, read_samples(samples or path.with_suffix("")))
    if as_json:
        tell_json(_as_json(said, outcome))
    else:
        _show(said, outcome)
        for line in outcome.problems:
            warn(line, style="red")
    if outcome.problems:
        raise typer.Exit(COULD_NOT)
    if not as_json:
        tell("Every sample can be read, and every status word has one.")


def _as_json(said: Declaration, outcome: Outcome) -> dict[str, Any]:
    return {
        "provider": said.name,
        "orders": [
            {"sample": name, "order": one.order_id, "item": one.item_id}
            | {"status": one.status, "raw_status": one.raw_status}
            | {"facts": sorted(one.details)}
            for name, one in outcome.reports
        ],
        "paths": dict(paths_of(said)),
        "values": outcome.values,
        "unused": sorted(outcome.unused),
        "problems": outcome.problems,
    }


def _show(said: Declaration, outcome: Outcome) -> None:
    rows = [
        [name, one.order_id, one.raw_status or "", str(one.status or "unknown"),
         ", ".join(sorted(one.details))]
        for name, one in outcome.reports
    ]  # fmt: skip
    tell_table(["sample", "order", "word", "status", "facts"], rows, drop=("facts",))
    for name, order_id in outcome.fetched:
        tell(f"{name}: order {order_id} would be fetched")
    tell()
    tell_table(
        ["field", "read from", "first value"],
        [[name, path, outcome.values.get(name, "")] for name, path in paths_of(said)],
    )
    if outcome.unused:
        tell(f"Not used: {', '.join(sorted(outcome.unused))}")


def as_yaml(content: Any) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)).rstrip()


def existing_file(path: Path) -> Path:
    """The path itself, or the file with this name in ``providers``."""
    if path.suffix or path.exists():
        return path
    return Path("providers") / f"{path}.yaml"
