"""The local stack's ports: the same from run to run where they are free."""

import socket
from pathlib import Path

import pytest

from local.ports import Ports


def test_a_part_has_the_port_of_its_last_run(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = {part: Ports(path).choose(part) for part in ("emulator", "console")}

    assert {part: Ports(path).choose(part) for part in first} == first


def test_a_port_that_is_taken_gives_way_to_a_free_one(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        Ports(path).keep("console", taken)

        assert Ports(path).choose("console") != taken


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"4566"', '{"console": "x"}', '{"console": 80}', '{"console": true}']
)
def test_what_is_no_list_of_ports_is_ignored(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(content)

    assert Ports(path).choose("console") >= 1024
