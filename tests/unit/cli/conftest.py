"""What tests of the command share: a file in a directory of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

WriteFile = Callable[[str], Path]


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Writes connections.yaml and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "connections.yaml"
        path.write_text(text)
        return path

    return write
