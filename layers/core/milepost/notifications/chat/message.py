"""A message to a chat, before it is formatted for a platform. All of its texts are plain text."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its ``head`` is bold, and a link if there is a ``url``."""

    head: str = ""
    text: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines with a heading; ``is_list`` marks each line as one of a list."""

    heading: str = ""
    lines: tuple[Line, ...]
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A link in the form of a button."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A message: ``title`` says what has happened, even if only one line is shown."""

    title: str
    paragraphs: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    button: Button | None = None


def shortened(message: ChatMessage) -> ChatMessage | None:
    """The message with half the lines of its longest list; None if it has no list to shorten."""
    lists = [section for section in message.sections if section.is_list and len(section.lines) > 1]
    if not lists:
        return None
    longest = max(lists, key=lambda section: len(section.lines))
    kept = (*longest.lines[: len(longest.lines) // 2], Line(text="…"))
    if len(kept) == len(longest.lines):
        kept = (Line(text="…"),)
    cut = replace(longest, lines=kept)
    sections = tuple(cut if section is longest else section for section in message.sections)
    return replace(message, sections=sections)
