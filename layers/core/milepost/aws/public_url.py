"""The public URL of the API, from Parameter Store. Short: one parameter.

It is no variable of the functions behind the API, since the API's id is known only after them. The
parameter's name follows from that of connections: all variables of a function together have 4 KB.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def name_of_parameter(connections_path: str) -> str:
    """The parameter next to those of connections: ``/<stack>/public-url``."""
    return f"{connections_path.rpartition('/')[0]}/public-url"


def read_public_url(client: "SSMClient", *, connections_path: str) -> str:
    """The public URL of the API for providers, customers and browsers, without a slash at its
    end.
    """
    answer = client.get_parameter(Name=name_of_parameter(connections_path))
    return answer["Parameter"]["Value"].rstrip("/")
