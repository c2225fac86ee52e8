"""The template's sections: what its contents list, and which resource stands in which of them."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import pytest

from tests.template import FUNCTIONS, QUEUES, RESOURCES, ROOT

TEXT: Final = (ROOT / "template.yaml").read_text()
TITLE: Final = re.compile(r"^  # -{4} (.+?) -+$")
RESOURCE: Final = re.compile(r"^  (\w+):$")
SHARED: Final = {
    "AWS::Serverless::LayerVersion": "Layers",
    "AWS::DynamoDB::Table": "Tables",
    "AWS::S3::Bucket": "Buckets",
    "AWS::S3::BucketPolicy": "Buckets",
    "AWS::SecretsManager::Secret": "Secrets",
    "AWS::Serverless::HttpApi": "HTTP API",
    "AWS::ApiGatewayV2::DomainName": "HTTP API",
    "AWS::Cognito::UserPool": "People",
    "AWS::Cognito::UserPoolGroup": "People",
    "AWS::CloudWatch::Alarm": "Alarms",
    "AWS::CloudWatch::Dashboard": "Dashboard",
}
"""Types of resources that have a section of their own."""


def sections() -> dict[str, list[str]]:
    """The names of the resources below each title, as they are written."""
    found: dict[str, list[str]] = {}
    body = TEXT.split("\nResources:\n")[1].split("\nOutputs:\n")[0]
    for line in body.splitlines():
        if title := TITLE.match(line):
            found[title[1]] = []
        elif resource := RESOURCE.match(line):
            found[list(found)[-1]].append(resource[1])
    return found


SECTIONS: Final = sections()
SECTION_OF: Final = {name: title for title, names in SECTIONS.items() for name in names}
OF_FUNCTIONS: Final = {title: title.split(": ")[1] for title in SECTIONS if ": " in title}
"""Titles of the functions' sections, with the folder that each of them names."""
OF_THE_COMMAND: Final = {"PollSchedules"}
"""Resources that only the command uses, which schedules the polls of connections."""


def references(value: Any) -> Iterator[str]:
    """Names that a part of the template refers to by ``Ref``, ``GetAtt`` or ``Sub``."""
    match value:
        case {"Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case {"Sub": [str(text), Mapping() as further]}:
            yield from re.findall(r"\$\{(\w+)", text)
            yield from references(further)
        case {"Ref": str(name)}:
            yield name
        case {"GetAtt": str(name)}:
            yield name.split(".")[0]
        case Mapping():
            for one in value.values():
                yield from references(one)
        case list():
            for one in value:
                yield from references(one)


def test_the_contents_list_the_sections_in_their_order() -> None:
    contents = TEXT.split("\nParameters:\n")[0]
    assert re.findall(r"^#   (\S.*)$", contents, re.MULTILINE) == list(SECTIONS)


def test_each_function_has_one_section() -> None:
    folders = [one["CodeUri"].removeprefix("functions/") for one in FUNCTIONS.values()]
    assert sorted(OF_FUNCTIONS.values()) == sorted(folders)


def test_sections_of_functions_are_in_the_order_of_the_packages() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    packages = re.findall(r"^\| `([\w.]+)` \|", architecture, re.MULTILINE)
    firsts = [packages.index(title.split(":")[0].split(", ")[0]) for title in OF_FUNCTIONS]
    assert all(above <= below for above, below in pairwise(firsts))


def test_what_several_functions_use_is_before_their_sections() -> None:
    titles = list(SECTIONS)
    first, last = titles.index(next(iter(OF_FUNCTIONS))), titles.index(list(OF_FUNCTIONS)[-1])
    assert titles[first : last + 1] == list(OF_FUNCTIONS)
    assert titles[last + 1 :] == ["Alarms", "Dashboard"]


@pytest.mark.parametrize("title", OF_FUNCTIONS)
def test_a_section_of_a_function_begins_with_it_its_role_and_its_logs(title: str) -> None:
    stem = "".join(word.capitalize() for word in OF_FUNCTIONS[title].split("_"))
    kinds = ("Function", "Role", "LogGroup", "FailureFilter")
    assert SECTIONS[title][:4] == [stem + kind for kind in kinds]


@pytest.mark.parametrize("name", [n for n, one in RESOURCES.items() if one["Type"] in SHARED])
def test_a_resource_of_a_shared_type_is_in_that_types_section(name: str) -> None:
    assert SECTION_OF[name] == SHARED[RESOURCES[name]["Type"]]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_queue_is_in_the_section_of_the_function_whose_events_it_holds(name: str) -> None:
    # What it consumes, and what failed in it; then the dead letters of these queues.
    queues = {one for one in references(FUNCTIONS[name].get("Events", {})) if one in QUEUES}
    queues |= {one for queue in queues for one in references(QUEUES[queue])} & QUEUES.keys()
    assert {SECTION_OF[one] for one in queues} <= {SECTION_OF[name]}


def test_no_queue_is_in_a_section_whose_function_has_nothing_to_do_with_it() -> None:
    for queue in QUEUES:
        of = {name for name in SECTIONS[SECTION_OF[queue]] if name != queue}
        used = {one for name in of for one in references(RESOURCES[name])}
        assert queue in used


@pytest.mark.parametrize(
    "name", sorted({one for title in OF_FUNCTIONS for one in SECTIONS[title]} - OF_THE_COMMAND)
)
def test_a_resource_of_a_functions_section_is_connected_with_others_of_it(name: str) -> None:
    others = [one for one in SECTIONS[SECTION_OF[name]] if one != name]
    mine = set(references(RESOURCES[name]))
    assert mine & set(others) or any(name in references(RESOURCES[one]) for one in others)
