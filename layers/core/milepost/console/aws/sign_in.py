"""Sign-in, built from a function's environment. Short: it joins the drivers."""

from collections.abc import Callable, Mapping
from datetime import datetime

from milepost.aws.clients import INTERACTIVE_CONFIG, client
from milepost.console.aws.sessions import SessionsTable
from milepost.console.aws.settings import ConsoleParameter
from milepost.console.aws.user_pool import CognitoPool
from milepost.console.settings import Settings
from milepost.console.sign_in import SignIn
from milepost.console.token_encryption import SessionSealing


def open_settings(environment: Mapping[str, str]) -> Settings:
    """The console's addresses."""
    ssm = client("ssm", config=INTERACTIVE_CONFIG)
    return ConsoleParameter(ssm, name=environment["CONSOLE_SETTINGS"])


def open_sign_in(
    environment: Mapping[str, str], *, settings: Settings, clock: Callable[[], datetime]
) -> SignIn:
    """The sign-in of the stack that the environment names."""
    dynamodb = client("dynamodb", config=INTERACTIVE_CONFIG)
    return SignIn(
        sessions=SessionsTable(dynamodb, table_name=environment["SESSIONS_TABLE"]),
        pool=CognitoPool(
            lambda: client("cognito-idp", config=INTERACTIVE_CONFIG),
            settings=settings,
            pool_id=environment["PEOPLE_ISSUER"].rpartition("/")[2],
        ),
        sealing=SessionSealing(),
        issuer=environment["PEOPLE_ISSUER"],
        client_id=lambda: settings.addresses().client,
        clock=clock,
    )
