"""Imports a part of the command without those packages of the AWS client that it doesn't need.

botocore imports two packages only because they are installed, which take longer to load than all
of Milepost: pyOpenSSL, of which it uses nothing, and AWS's own runtime in C (awscrt), which only
signs in by `aws login` and computes checksums that no part here needs.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_OF_NO_USE: Final = "OpenSSL"
_RUNTIME: Final = "awscrt"
_LOGIN: Final = "login_session"
"""The setting of a profile that signs in by `aws login`."""


def import_part(name: str) -> ModuleType:
    """Import a module; also botocore, if it is not imported yet."""
    with _hidden(_OF_NO_USE, *(() if _signs_in_by_runtime() else (_RUNTIME,))):
        return import_module(name)


def _signs_in_by_runtime() -> bool:
    path = Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    try:
        return _LOGIN in path.read_text(errors="replace")
    except FileNotFoundError:
        return False
    except OSError:
        return True


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Make packages that are not imported yet appear to be not installed."""
    modules: dict[str, Any] = dict(sys.modules)
    hidden = [one for one in packages if one not in modules]
    for one in hidden:
        sys.modules[one] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for one in hidden:
            del sys.modules[one]
