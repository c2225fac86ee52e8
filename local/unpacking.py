"""Functions' code and layers, unpacked once for all the processes that run them.

ministack 1.5.33 unpacks a function's code and all its layers for each process that it starts: a
second or more of work that AWS has done before a function starts. As there, what is unpacked can
only be read.
"""

import hashlib
import importlib
import os
import stat
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked at most once; afterwards a link leads to its folder."""

    home: Path
    _unpacking = threading.Lock()

    def namelist(self) -> list[str]:
        """Only the names that could lead out of the folder; the emulator checks each of them."""
        return [name for name in super().namelist() if name.startswith("/") or ".." in name]

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        """Put a link to what is unpacked in the place of the empty folder ``path``."""
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
    """Have the emulator's processes share what is unpacked."""
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    UnpackedOnce.home = Path(os.environ["TMPDIR"]) / "unpacked"
    UnpackedOnce.home.mkdir(parents=True, exist_ok=True)
    runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})
