"""Files of connections that tests write."""


def entry(*lines: str) -> str:
    """A file with one Offergrid connection and additional lines, from line 4 on."""
    own = "".join(f"    {line}\n" for line in lines)
    return f"connections:\n  - id: offergrid-home\n    provider: offergrid\n{own}"
