"""A connection's own mail templates: read from its folder, and rendered once before use."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from cli.connections.file import ConnectionsFile
from cli.errors import InvalidFile, Problem
from milepost.notifications.mail.aws.templates import Place
from milepost.notifications.mail.rendering.custom_templates import BrokenTemplate, check_override

Texts: TypeAlias = Mapping[Place, str]
"""Sources of templates by the mail that they are for."""


def read_texts(file: ConnectionsFile) -> dict[str, Texts]:
    """Every template that the file refers to, by connection.

    :raises InvalidFile: for those that can't be read or used, each with its own line
    """
    problems: list[Problem] = []
    found: dict[str, Texts] = {
        one.id: dict(_texts_of(file, index, problems))
        for index, one in enumerate(file.declared.connections)
    }
    if problems:
        raise InvalidFile(file.path, problems)
    return found


def _texts_of(
    file: ConnectionsFile, index: int, problems: list[Problem]
) -> Iterator[tuple[Place, str]]:
    for place, path in _declared(file, index):
        where = ("connections", index, "templates", *place)
        source = _read(file, path)
        if isinstance(source, OSError | UnicodeDecodeError):
            reason = getattr(source, "strerror", None) or "not UTF-8 text"
            problems.append(file.problem(where, f"{path} can't be read: {reason}"))
        elif problem := _what_is_wrong(file, where, path, source):
            problems.append(problem)
        else:
            yield place, source


def _declared(file: ConnectionsFile, index: int) -> Iterator[tuple[Place, str]]:
    for kind, audiences in file.declared.connections[index].templates.items():
        for audience, languages in audiences.items():
            for language, path in languages.items():
                yield (kind, audience, language), path


def _read(file: ConnectionsFile, path: str) -> str | OSError | UnicodeDecodeError:
    try:
        return file.beside(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return error


def _what_is_wrong(
    file: ConnectionsFile, where: tuple[str | int, ...], path: str, source: str
) -> Problem | None:
    kind, audience = str(where[3]), str(where[4])
    try:
        check_override(source, kind=kind, audience=audience)
    except BrokenTemplate as broken:
        return Problem(
            where=file.problem(where, "").where,
            what=broken.message,
            line=broken.line,
            path=file.beside(path),
        )
    except LookupError as error:
        return file.problem(where, f"{error}: leave it out")
    return None
