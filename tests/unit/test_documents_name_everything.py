"""The guiding documents name every package and resource, and only modules that there are."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.stack import ROOT, template

CORE: Final = ROOT / "layers/core/milepost"
DOCUMENTS: Final = ("architecture.md", "data-model.md", "glossary.md")
STORES: Final = {
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::Events::EventBus",
    "AWS::SecretsManager::Secret",
}
ROOTS: Final = ("functions", "cli", "local", "bench", "tests", "docs")


def text_of(document: str) -> str:
    return (ROOT / "docs" / document).read_text()


def packages() -> list[str]:
    found = (one.parent.relative_to(CORE) for one in CORE.rglob("__init__.py"))
    return sorted(".".join(one.parts) for one in found if one.parts)


def modules_named(document: str) -> set[str]:
    return set(re.findall(r"`([\w/]+\.py)`", text_of(document)))


@pytest.mark.parametrize("package", packages())
def test_the_architecture_has_a_caption_for_each_package(package: str) -> None:
    rows = [line for line in text_of("architecture.md").splitlines() if line.startswith("|")]
    assert any(f"`{package}`" in row for row in rows)


@pytest.mark.parametrize("package", [one for one in packages() if not one.endswith("aws")])
def test_the_glossary_says_which_words_are_of_a_package(package: str) -> None:
    without_words = {"api.routes", "notifications.mail.rendering"}
    assert f"`{package}`" in text_of("glossary.md") or package in without_words


def test_the_data_model_names_every_store_and_index_of_the_template() -> None:
    resources = template()
    names = {name for name, one in resources.items() if one["Type"] in STORES}
    indexes = {
        index["IndexName"]
        for one in resources.values()
        for index in one.get("Properties", {}).get("GlobalSecondaryIndexes", ())
    }
    said = text_of("data-model.md")
    headings = set(re.findall(r"^## (\w+)$", said, re.MULTILINE))
    quoted = set(re.findall(r"`(\w+)`", said))
    assert (names | indexes) - headings - quoted == set()


@pytest.mark.parametrize("function", sorted(one.name for one in (ROOT / "functions").iterdir()))
def test_the_data_model_says_what_each_function_reads_or_writes(function: str) -> None:
    assert f"`{function}`" in text_of("data-model.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_a_document_names_exists(document: str) -> None:
    def exists(name: str) -> bool:
        base = ROOT if name.startswith(ROOTS) else CORE
        return (base / Path(name)).is_file()

    assert [one for one in sorted(modules_named(document)) if not exists(one)] == []


def test_the_contract_of_import_linter_has_the_packages_in_the_documented_order() -> None:
    contracts = (ROOT / "pyproject.toml").read_text()
    layers = re.findall(r'^    "milepost\.(\w+)",$', contracts, re.MULTILINE)
    rows = re.findall(r"^\| `(\w+)` \|", text_of("architecture.md"), re.MULTILINE)
    assert rows == layers[::-1]
