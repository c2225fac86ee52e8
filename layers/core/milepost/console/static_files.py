"""Style sheets and scripts, named by their contents, so that browsers can cache them."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from milepost.console.responses import Answer

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_BRIEFLY: Final = "public, max-age=60"
"""For the address of another version, from a page that was opened before the last deployment."""


@cache
def address_of(name: str) -> str:
    """The address of a file, such as ``/console/static/3f5a09c1d2e4/console.css``."""
    return f"/console/static/{_digest(name)}/{name}"


def serve_file(digest: str, name: str) -> Answer | None:
    """A file by its address; None when there is none with this name."""
    path = _FOLDER / name
    if path.suffix not in _TYPES or path.name != name or not path.is_file():
        return None
    kept = _FOREVER if digest == _digest(name) else _BRIEFLY
    return Answer(
        body=path.read_bytes(),
        content_type=_TYPES[path.suffix],
        headers={"cache-control": kept},
    )


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest()[:12]
