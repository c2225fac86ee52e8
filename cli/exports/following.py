"""Follows an export until it ends, and downloads its file."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import urllib3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.api import OrdersApi
from cli.errors import CannotDo
from cli.output import is_interactive

LIVE: Final = frozenset({"waiting", "running"})
_EVERY: Final = 1.0
"""Seconds between two requests for an export's progress."""
_CHUNK: Final = 1024 * 1024
_ATTEMPTS: Final = 3


def wait_for(api: OrdersApi, export: str) -> Mapping[str, Any]:
    """The export after it has ended, with a progress bar on a terminal until then.

    :raises CannotDo: when it failed; the text says why
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not is_interactive()) as progress:
        task = progress.add_task("Rows", total=None)
        while True:
            found: Mapping[str, Any] = api.get(f"/exports/{export}")
            progress.update(task, total=found["expected"], completed=found["rows"])
            if found["state"] not in LIVE:
                break
            time.sleep(_EVERY)
    if found["state"] != "ready":
        raise CannotDo(f"There is no file: {found['why']}.")
    return found


def download(api: OrdersApi, export: Mapping[str, Any], to: Path) -> int:
    """Download the file of an export; returns its size in bytes. If this fails, ``to`` is
    unchanged.

    :raises CannotDo: when it can't be downloaded or written
    """
    part = to.with_name(f"{to.name}.part")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _fetch(export["link"], part)
            part.replace(to)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CannotDo(f"{to} can't be written: {error}.") from None
        except (urllib3.exceptions.HTTPError, _NotGiven) as error:
            part.unlink(missing_ok=True)
            if attempt == _ATTEMPTS:
                raise CannotDo(
                    f"The file can't be downloaded ({error}). It is kept until "
                    f"{export['available_until']}: milepost exports download {export['id']}"
                ) from None
            # A link ends after some minutes.
            export = api.get(f"/exports/{export['id']}")
        else:
            return os.stat(to).st_size
    raise AssertionError


class _NotGiven(Exception):
    """The link can't be opened."""


def _fetch(link: str, to: Path) -> None:
    with urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=60)) as pool:
        answer = pool.request("GET", link, preload_content=False, retries=False)
        try:
            if answer.status != 200:
                raise _NotGiven(f"S3 answers {answer.status}")
            with to.open("wb") as file:
                for chunk in answer.stream(_CHUNK):
                    file.write(chunk)
        finally:
            answer.release_conn()
