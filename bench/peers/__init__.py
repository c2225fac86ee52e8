"""Peers, each a script that knows nothing of Milepost, in an environment of their own."""

from typing import Final

from bench.children import ROOT

PYTHON: Final = str(ROOT / ".local" / "tools" / "bench" / "bin" / "python")


def require_peers() -> None:
    """:raises SystemExit: when their environment is missing, with what makes it"""
    try:
        open(PYTHON, "rb").close()
    except OSError:
        raise SystemExit("The peers are not installed: run `make bench-peers`.") from None
