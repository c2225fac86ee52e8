"""Reads the two parts of a mail like a person."""

from html.parser import HTMLParser

from milepost.notifications.mail.message import Mail


class Words(HTMLParser):
    """The text of a page as a reader sees it, and the content of its head."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.hidden: list[str] = []
        self._skipped = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "title") or (
            tag == "div" and "display:none" in (dict(attrs).get("style") or "")
        ):
            self._skipped = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""

    def handle_data(self, data: str) -> None:
        (self.hidden if self._skipped else self.seen).append(data)


def read(mail: Mail) -> Words:
    words = Words()
    words.feed(mail.html)
    return words


def squeezed(text: str) -> str:
    return " ".join(text.split())
