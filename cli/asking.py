"""Who asks for something that the log will name."""

import getpass

from botocore.exceptions import BotoCoreError, ClientError

from cli.stack import Stack


def caller_name(stack: Stack) -> str:
    """The caller's identity at AWS, without its account; else the user of this machine."""
    try:
        arn: str = stack.client("sts").get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError):
        return getpass.getuser()
    return arn.rpartition(":")[2]
