"""What operators do by the command meanwhile: everything that changes something at AWS itself."""

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from milepost.notifications.notice import NoticeId
from tests.integration.interleaving.account import CUSTOMER, World
from tests.integration.interleaving.api_users import SECRETS, SIGNING, ended, notice_to, rotated
from tests.integration.interleaving.command_runs import HOME, File, run_command
from tests.integration.interleaving.workers import SUBSCRIPTIONS, Ended, FedBy, Party

DECLARED: Final = Path(__file__).parents[3] / "providers" / "examples" / "woocommerce.yaml"
CONNECTIONS: Final = frozenset(
    {"signing secrets", "credentials", "connections", "polls", "subscriptions", "endpoint secrets"}
)
ASKS_THE_API: Final = frozenset(
    {
        "actions do", "actions call-off", "connections poll", "quarantine replay",
        "batches stop", "batches resume", "orders import",
        "quarantine discard", "suppressions lift", "replay", "dead-letters discard", "redrive",
        "erase", "orders link", "send-test", "subscriptions send-test", "views save",
        "views delete", "orders export",
    }
)  # fmt: skip
"""Commands whose changes are those of requests that are listed themselves."""
STARTS_A_FUNCTION: Final = frozenset({"notices release"})
ONLY_READS: Final = frozenset(
    {
        "activity", "views list", "orders list", "orders show", "orders watch", "actions list",
        "notices list", "notices explain", "notices preview", "batches list", "batches show",
        "exports list", "exports show", "exports download",
        "suppressions list", "subscriptions list",
        "subscriptions secret", "stages", "causes", "commissions", "scorecards", "connections list",
        "connections secret show", "sign", "quarantine list",
        "quarantine show", "dead-letters list", "dead-letters show", "doctor",
        "providers new", "providers test", "providers list", "providers show", "providers diff",
    }
)  # fmt: skip


def commands(
    name: str,
    *words: str,
    covers: str,
    before: Callable[[World], Any] = lambda _: None,
    given: Callable[[World], str] = lambda _: "",
    owns: frozenset[str] = frozenset(),
) -> Party:
    def prepare(world: World) -> Any:
        return before(world)

    def run(world: World, handed: Any) -> tuple[Ended, Any]:
        said = [handed if one == "GIVEN" else one for one in words]
        clock = world.time.clock()
        code, output = run_command(world.stack, *said, clock=clock, given=given(world))
        return (Ended.REFUSED if code else Ended.DONE), output

    return Party(
        name=name, fed_by=FedBy.PERSON, prepare=prepare, run=run, covers=(covers,), owns=owns
    )


def applied(world: World) -> str:
    """What is to be removed is there."""
    world.command("connections", "apply", more(world), "--yes")
    return File(world.providers.sandboxes.url).write()


def more(world: World) -> str:
    """A file with a connection, a subscription and an endpoint more."""
    return File(world.providers.sandboxes.url, more=True).write()


def key_of_provider(world: World) -> str:
    """The one that the provider goes by."""
    return str(world.providers.accounts[HOME].connection.credentials["api_key"])


def two_versions(world: World) -> None:
    """A declared provider and its changed file."""
    world.command("providers", "apply", str(DECLARED), "--yes")
    changed = Path(mkdtemp()) / DECLARED.name
    changed.write_text(DECLARED.read_text().replace("on-hold: pending", "on-hold: accepted"))
    world.command("providers", "apply", str(changed), "--yes")


def customers_notice(world: World) -> str:
    return str(NoticeId.parse(notice_to(world, CUSTOMER["email"])["id"]).path_id)


COMMANDS: Final = (
    commands(
        "connections applied", "connections", "apply", "GIVEN", "--yes",
        covers="connections apply", before=more, owns=CONNECTIONS,
    ),
    commands(
        "connections pruned", "connections", "apply", "GIVEN", "--yes", "--prune",
        covers="connections apply", before=applied, owns=CONNECTIONS,
    ),
    commands(
        "a signing secret rotated", "connections", "secret", "rotate", HOME,
        covers="connections secret rotate", owns=SIGNING,
    ),
    commands(
        "a rotation finished", "connections", "secret", "rotate", HOME, "--finish", "--yes",
        covers="connections secret rotate", before=rotated, owns=SIGNING,
    ),
    commands(
        "a credential stored", "connections", "secret", "set", HOME, "api_key",
        covers="connections secret set", given=key_of_provider, owns=frozenset({"credentials"}),
    ),
    commands(
        "a subscription resumed by command", "subscriptions", "resume", "sales", "--yes",
        covers="subscriptions resume", before=ended, owns=SUBSCRIPTIONS,
    ),
    commands(
        "an endpoint's secret rotated by command", "subscriptions", "rotate-secret", "crm",
        covers="subscriptions rotate-secret", owns=SECRETS,
    ),
    commands(
        "a mail again by command", "notices", "resend", "GIVEN", "--by", "lena", "--key", "k-1",
        covers="notices resend", before=customers_notice,
    ),
    commands(
        "a provider applied", "providers", "apply", str(DECLARED), "--yes",
        covers="providers apply", owns=CONNECTIONS,
    ),
    commands(
        "a provider rolled back", "providers", "rollback", DECLARED.stem, "--to", "1", "--yes",
        covers="providers rollback", before=two_versions, owns=CONNECTIONS,
    ),
)  # fmt: skip
"""Every command that changes something and does not ask the API for it."""
