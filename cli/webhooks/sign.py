"""``milepost sign``: prints the headers with which a provider would send a body."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from cli.command_group import examples, make_part
from cli.errors import CannotDo
from cli.options import JsonOption
from cli.output import tell, tell_json
from cli.stack import StackOption, find_stack
from cli.webhooks.signers import find_signer

app = make_part()


@app.command("sign", epilog=examples("sign event.json --connection offergrid-main --curl"))
def sign(
    file: Annotated[Path, typer.Argument(help="The body, or - for standard input.")],
    *,
    connection: Annotated[str, typer.Option("--connection", metavar="ID", help="Whose secret.")],
    curl: Annotated[
        bool, typer.Option("--curl", help="Print a curl command that sends it.")
    ] = False,
    delivery_id: Annotated[
        str | None, typer.Option("--id", help="The delivery's id. Created if absent.")
    ] = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a body as the connection's provider would, and print the headers, one on each line.

    They are valid for five minutes.
    """
    body = _read(file)
    target = find_stack(stack)
    headers = find_signer(target, connection).headers(
        body, delivery_id=delivery_id or f"msg_{uuid4().hex}", timestamp=int(time.time())
    )
    url = target.webhook_url(connection)
    if as_json:
        tell_json({"url": url, "headers": headers})
    elif curl:
        tell(_curl(url, headers, file))
    else:
        for name, value in headers.items():
            tell(f"{name}: {value}")


def _curl(url: str, headers: dict[str, str], file: Path) -> str:
    named = [part for pair in headers.items() for part in ("-H", ": ".join(pair))]
    return shlex.join(["curl", "-i", *named, "--data-binary", f"@{file}", url])


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise CannotDo(f"{file} can't be read: {error.strerror}.") from None
