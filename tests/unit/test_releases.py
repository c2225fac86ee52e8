"""The changelog and the version that the project says of itself."""

import re
import tomllib
from collections.abc import Mapping
from typing import Final

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.stack import ROOT

HEADINGS: Final = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
RELEASES: Final = [one for one in HEADINGS if one != "Unreleased"]
SECTIONS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Source: Keep a Changelog 1.1.0, "Types of changes"."""


def project_version() -> str:
    project: Mapping[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["version"]


def numbers(release: str) -> tuple[int, ...]:
    return tuple(int(one) for one in release.partition(" ")[0].split("."))


def test_the_newest_version_of_the_changelog_is_the_projects() -> None:
    assert RELEASES[0].partition(" ")[0] == project_version()


def test_the_command_prints_the_projects_version() -> None:
    printed = CliRunner().invoke(app, ["--version"]).stdout
    assert printed == f"milepost {project_version()}\n", "after a change of it, run `make install`"


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_is_a_semantic_version_and_its_day(release: str) -> None:
    number = r"(0|[1-9]\d*)"
    assert re.fullmatch(rf"{number}\.{number}\.{number} - 20\d\d-[01]\d-[0-3]\d", release)


def test_releases_are_listed_once_from_the_newest_and_after_what_is_unreleased() -> None:
    assert HEADINGS[0] == "Unreleased"
    versions = [numbers(one) for one in RELEASES]
    assert versions == sorted(set(versions), reverse=True)
    days = [one.partition(" - ")[2] for one in RELEASES]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("number", range(len(HEADINGS)), ids=HEADINGS)
def test_changes_are_grouped_by_their_kind_and_each_kind_stands_once(number: int) -> None:
    texts = re.split(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    kinds = re.findall(r"^### (.*)$", texts[number], re.MULTILINE)
    assert kinds == [one for one in SECTIONS if one in kinds]
    assert kinds or HEADINGS[number] == "Unreleased"


def test_what_the_newest_version_stores_is_recorded() -> None:
    # Decision 42: later versions are tried on it.
    assert (ROOT / "tests/recorded" / project_version() / "items.json").is_file()
