"""The ports of a stack: those of its last run if they are free, so that addresses stay the same."""

import json
from pathlib import Path

from local.processes import find_free_port, is_free


class Ports:
    """Chooses a port for each part of the stack, and stores it for the next run.

    :param path: the file that remembers them; one that can't be read is as good as none
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._chosen = _read(path)

    def choose(self, part: str) -> int:
        """The port that this part had last time if it is free; otherwise another free port."""
        port = self._chosen.get(part)
        if port is None or not is_free(port):
            port = find_free_port()
        self.keep(part, port)
        return port

    def has(self, port: int) -> bool:
        """Whether a part of the last run, which may still be running, has this port."""
        return port in self._chosen.values()

    def keep(self, part: str, port: int) -> None:
        """Store the port of this part."""
        self._chosen[part] = port
        self._path.write_text(json.dumps(self._chosen, indent=2))


def _read(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    ports = found.items() if isinstance(found, dict) else ()
    return {name: port for name, port in ports if type(port) is int and 1024 <= port < 65536}
