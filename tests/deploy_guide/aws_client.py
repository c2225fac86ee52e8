"""The command `aws`: passes its arguments and files to the server that runs the AWS CLI.

The server runs version 1, the only one that PyPI has. The guides are for version 2, which takes the
value of a payload as Base64 unless it is told otherwise; version 1 takes it as it is.
"""

import json
import os
import socket
import sys

_FORMAT = ["--cli-binary-format", "raw-in-base64-out"]


def for_version_1(given: list[str]) -> list[str]:
    """The arguments without those that only version 2 accepts.

    :raises SystemExit: when version 2 would refuse them
    """
    at = given.index(_FORMAT[0]) if _FORMAT[0] in given else len(given)
    if given[:2] == ["lambda", "invoke"] and "--payload" in given and given[at : at + 2] != _FORMAT:
        sys.exit(f"version 2 of the AWS CLI needs {' '.join(_FORMAT)} here")
    return given[:at] + given[at + 2 :]


def main() -> None:
    """Wait for the command to end, and exit with its exit code."""
    message = {
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "arguments": for_version_1(sys.argv[1:]),
    }
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ["AWS_SERVER"])
        socket.send_fds(server, [b" "], [0, 1, 2])
        server.sendall(json.dumps(message).encode() + b"\n")
        sys.exit(int(server.recv(16) or b"255"))


if __name__ == "__main__":
    main()
