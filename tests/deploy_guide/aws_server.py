"""Runs the AWS CLI for each client, in a forked process that has already imported it.

To import it takes half a second, which is most of what a command takes. It is run by the CLI's own
Python: `python aws_server.py LISTENING ENDPOINT`, with the number of a listening socket that it has
inherited, and leaves when standard input ends. A client sends its directory, environment and
arguments, and its own standard input, output and error; it gets the exit code.
"""

import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from types import SimpleNamespace

from awscli.botocore import waiter
from awscli.clidriver import create_clidriver

LISTENING, ENDPOINT = int(sys.argv[1]), sys.argv[2]

PAUSE = 0.5
"""Seconds between two looks of a `wait` command. AWS's are 5 to 60, for work that takes as long."""


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    waiter.time = SimpleNamespace(sleep=lambda _seconds: time.sleep(PAUSE))
    with socket.socket(fileno=LISTENING) as server:
        while True:
            ready, *_ = select.select([server, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                run_for(connection)
            connection.close()


def run_for(connection: socket.socket) -> None:
    """Run one command in this process, and end it."""
    with connection.makefile("rb") as lines:
        _, files, *_ = socket.recv_fds(connection, 1, 3)
        wanted = json.loads(lines.readline())
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(wanted["directory"])
    # The CLI has set where its own data are.
    kept = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}
    os.environ.clear()
    os.environ.update(wanted["environment"] | kept)
    code = 255
    try:
        # Some of the CLI's services don't look at AWS_ENDPOINT_URL. Nothing leaves this machine.
        code = create_clidriver().main([*wanted["arguments"], "--endpoint-url", ENDPOINT])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 255
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(code or 0).encode())
        os._exit(0)


if __name__ == "__main__":
    main()
