"""Files of connections that tests write."""


def entry(*lines: str) -> str:
    """A file of one Offergrid connection with more lines of its own, from line 4."""
    own = "".join(f"    {line}\n" for line in lines)
    return f"connections:\n  - id: offergrid-home\n    provider: offergrid\n{own}"
