"""What an HTTP header can carry."""

from typing import Final

_DELETE: Final = "\x7f"


def is_header_value(text: str) -> bool:
    """Whether a secret can be sent as, or in, the value of a header.

    That is printable ASCII and the upper half of Latin-1, with spaces and tabs only inside. Source:
    RFC 9110, section 5.5; ``http.client`` writes headers as Latin-1.
    """
    if not text or text != text.strip():
        return False
    return all(one == "\t" or " " <= one < _DELETE or "\xa0" <= one <= "\xff" for one in text)
