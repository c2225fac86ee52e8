"""Parses YAML with the line of each value, so that errors can name it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]
_MOST_VALUES: Final = 100_000


class BadYaml(ValueError):
    """Text that is not YAML, or that sets a key twice; ``line`` counts from 1."""

    def __init__(self, message: str, *, line: int | None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Positions:
    """The position of each value in a document."""

    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int | None:
        """The line of a value; if it is missing, the line where it would be."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def read_yaml(text: str) -> tuple[Any, Positions]:
    """The document and the positions of its values.

    :raises BadYaml: when it is not one YAML document, or a key is there twice
    """
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        at = text.count("\n", 0, error.position) + 1
        raise BadYaml("has a character that YAML doesn't allow", line=at) from None
    try:
        node = loader.get_single_node()
        if node is None:
            return None, Positions({})
        lines = dict(_bounded(_lines(node, (), frozenset())))
        return loader.construct_document(node), Positions(lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadYaml(f"is not YAML: {error.problem}", line=line) from None
    # A constructor that another library registered for all loaders raises TypeError for such a key.
    except TypeError:
        raise BadYaml("is not YAML: a key is a list or a mapping", line=None) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, BadYaml):
            raise
        raise BadYaml(f"is not YAML: {error}", line=None) from None
    finally:
        loader.dispose()


def _bounded(lines: Iterator[tuple[Path, int]]) -> Iterator[tuple[Path, int]]:
    """:raises BadYaml: for aliases of aliases, with which a short text can become an endless
    document
    """
    for number, one in enumerate(lines):
        if number > _MOST_VALUES:
            raise BadYaml(
                f"has more than {_MOST_VALUES:,} values, because of its aliases", line=None
            )
        yield one


def _lines(node: yaml.Node, path: Path, above: frozenset[int]) -> Iterator[tuple[Path, int]]:
    """The line of the node, and of everything in it; an alias that contains itself ends there."""
    yield path, node.start_mark.line + 1
    if id(node) in above:
        return
    above |= {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*path, index), above)
    if isinstance(node, yaml.MappingNode):
        yield from _mapping_lines(node, path, above)


def _mapping_lines(
    node: yaml.MappingNode, path: Path, above: frozenset[int]
) -> Iterator[tuple[Path, int]]:
    seen = set[str]()
    for key, value in node.value:
        name = str(key.value)
        line = key.start_mark.line + 1
        if name in seen:
            raise BadYaml(f"{name} is here twice: keep one of them", line=line)
        seen.add(name)
        yield from _lines(value, (*path, name), above)
        # The key's line is where a person looks, also when its value begins below it.
        yield (*path, name), line
