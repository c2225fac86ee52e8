"""Lambda: code is unpacked once, and the functions' logs are in the local stack's log file.

ministack 1.5.33 unpacks a function's code and all its layers for each process that it starts. That
takes a second or more; AWS has done it before a function starts. As on AWS, unpacked files are
read-only.

ministack shows only the logs of functions that queue and stream mappings invoked. The rest is in
CloudWatch Logs.
"""

import hashlib
import importlib
import os
import stat
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked at most once; afterwards a link points to its folder."""

    home: Path
    _unpacking = threading.Lock()

    def namelist(self) -> list[str]:
        """The names that could lead out of the folder, since the emulator checks each name."""
        return [name for name in super().namelist() if name.startswith("/") or ".." in name]

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        """Replace the empty folder ``path`` with a link to the unpacked archive."""
        with self._unpacking:
            unpacked = self.home / self._digest()
            if not unpacked.exists():
                self._unpack(unpacked)
        os.rmdir(path)
        os.symlink(unpacked, path)

    def _unpack(self, target: Path) -> None:
        unfinished = target.with_suffix(".unfinished")
        super().extractall(unfinished, members=super().namelist())
        for file in unfinished.rglob("*"):
            if file.is_file():
                file.chmod(_READ_ONLY)
        unfinished.rename(target)

    def _digest(self) -> str:
        contents = sorted((one.filename, one.CRC, one.file_size) for one in self.infolist())
        return hashlib.sha256(repr(contents).encode()).hexdigest()


def correct_ministack() -> None:
    """Share unpacked code between processes, and write the log of every invocation to standard
    error.
    """
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    UnpackedOnce.home = Path(os.environ["TMPDIR"]) / "unpacked"
    UnpackedOnce.home.mkdir(parents=True, exist_ok=True)
    runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})
    _show_logs()


def _show_logs() -> None:
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    execute = functions._execute_function

    def execute_and_show(function: dict[str, Any], event: Any) -> Any:
        result = execute(function, event)
        if log := result.get("log"):
            name = (function.get("config") or function).get("FunctionName", "?")
            print(f"--- {name}\n{log}", file=sys.stderr, flush=True)
        return result

    functions._execute_function = execute_and_show
