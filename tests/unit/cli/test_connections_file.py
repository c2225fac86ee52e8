"""Reading connections.yaml: what is right is taken, what is wrong is said with its line."""

from dataclasses import fields
from pathlib import Path

import pytest

from cli.connections.desired_state import Wanted, work_out
from cli.connections.file import ConnectionsFile, read_file
from cli.connections.file_schema import DeclaredConnection
from cli.errors import InvalidFile
from milepost.connections.connection import Connection, SenderIdentity
from milepost.notifications.notice import DEFAULT_KINDS
from tests.unit.cli.conftest import WriteFile
from tests.unit.cli.connection_files import entry

EXAMPLE = Path(__file__).parents[3] / "connections.example.yaml"


def endpoint(url: str, owner: str | None = "ops@example.org", **more: str) -> str:
    """A file with an endpoint, whose URL is in line 5."""
    settings = {"owner": owner, **more}
    lines = "".join(f"    {name}: {value}\n" for name, value in settings.items() if value)
    return entry() + f"subscriptions:\n  - url: {url}\n{lines}"


def refusal(path: Path) -> str:
    with pytest.raises(InvalidFile) as refused:
        read_file(path)
    return str(refused.value).replace(str(path), "FILE")


def settings_of(file: ConnectionsFile, connection_id: str) -> object:
    return work_out(file, file.read_secrets(literals=True), {}).connections[connection_id].settings


def test_the_example_is_valid_and_names_each_provider() -> None:
    file = read_file(EXAMPLE)

    assert {one.provider for one in file.declared.connections} == {
        "offergrid",
        "rabot",
        "spirii",
        "subs",
    }
    assert len(file.declared.subscriptions) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            entry("page_sise: 50"),
            "FILE:4: connections[0] (offergrid-home).page_sise: is no setting: "
            "did you mean page_size?",
        ),
        (entry("poll: often"), 'write "5 minutes", "1 hour" or off'),
        (entry("poll: 0 minutes"), 'write "5 minutes", "1 hour" or off'),
        (entry("base_url: http://api.example.com"), "must begin with https://"),
        (entry("base_url: https://me:pw@api.example.com"), "is not a plain address"),
        (entry("base_url: api.example.com"), "is not a plain address"),
        (entry("order_page: https://portal.example/orders"), "is not an address such as"),
        (entry("page_size: many"), "FILE:4: connections[0] (offergrid-home).page_size: must be a"),
        (entry("page_size: 500"), "page_size is at most 100 at offergrid"),
        (entry("track: slow"), "'slow' is none of extended, fast, standard"),
        (entry("time_zone: Berlin"), "is no time zone: write one as Europe/Berlin"),
        (entry("country: NO"), "country: must be text: put the value in quotes"),
        (
            entry("country: XX", "stage_days_count: business"),
            "FILE:4: connections[0] (offergrid-home).country: no public holidays are known of 'XX'",
        ),
        (
            entry("country: DE", "region: VIC"),
            "FILE:5: connections[0] (offergrid-home).region: DE has no region 'VIC'; its regions",
        ),
        (entry("stage_days_count: working"), "stage_days_count: Input should be 'calendar' or"),
        (entry("escalate_after_days: -1"), "escalate_after_days: Input should be greater than"),
        (
            entry() + "subscriptions:\n  - {email: a@b.example, kinds: [escalated]}\n",
            "'escalated' is none of accepted",
        ),
        (entry("wait_days: {answer: 3}"), "'answer' is none of contact, payment, signature"),
        (entry("wait_days: {contact: 0}"), "wait_days.contact: Input should be greater than 0"),
        (entry("reminder_hours: 48"), "reminder_hours: must be a list"),
        (entry("reminder_hours: [0]"), "reminder_hours[0]: Input should be greater than 0"),
        (entry("reminder_hours: [1000]"), "reminder_hours[0]: Input should be less than or"),
        (entry("tracking: {colour: green}"), "tracking.colour: "),
        (entry("tracking: {days: 0}"), "tracking.days: "),
        (entry("tracking: {color: 1}"), "did you mean colour?"),
        (entry("follow_up: {after_days: 7}"), "follow_up.link: is missing"),
        (
            entry("follow_up: {link: http://survey.example}"),
            "follow_up.link: is not a link such as https://survey.example.com/order",
        ),
        (entry("follow_up: {link: https://a.example, days: 3}"), "there are link, after_days"),
        (entry("follow_up: {link: https://a.example}"), "has a follow_up that nobody gets"),
        (entry("customer_notices: [follow_up]"), "add follow_up.link, the link to send"),
        (
            entry("customer_notices: [delayed, rescheduled]"),
            "whose mail promises the new date: add scheduled",
        ),
        (
            entry() + "subscriptions:\n  - {email: a@b.example, kinds: [delayed]}\n",
            "'delayed' is none of accepted",
        ),
        (entry("contact: nobody"), "'nobody' is not an email address. "),
        (entry("commission: {amount: 0, currency: EUR}"), "commission.amount: "),
        (entry("commission: {amount: 75, currency: euro}"), "commission.currency: "),
        (entry("commission: {amount: 75}"), "commission.currency: is missing"),
        (entry("commission: {amount: 7, currency: EUR, due_day: 32}"), "commission.due_day: "),
        (entry("commission: {amount: 7, currency: EUR, day: 3}"), "did you mean due_day?"),
        (entry("commission: [{amount: 75}]"), "commission[0].currency: is missing"),
        (entry("commission: [{amount: 7, currency: EUR, provider: A}]"), "there are amount"),
        (entry("commission: {amount: 7, currency: EUR, suplier: A}"), "did you mean supplier?"),
        (entry("commission: {amount: 7, currency: EUR, service: ''}"), "commission.service: "),
        (entry("commission: [7]"), "commission[0]: must be keys with values"),
        (entry("commission: 7"), "commission: must be keys with values"),
        (
            entry(
                "commission: [{amount: 7, currency: EUR, supplier: A},"
                " {amount: 8, currency: EUR, supplier: ' a'}]"
            ),
            "commission[1]: is for the same supplier and service as earlier terms",
        ),
        (entry("sender: {legal: HRB 1}"), "sender.company: is missing"),
        (entry("sender: {company: ''}"), "sender.company: is empty"),
        (entry('sender: {company: "Ex\\u200bample"}'), "sender.company: has line breaks, control"),
        (entry('sender: {company: "A\\r\\nBcc: x"}'), "sender.company: has line breaks, control"),
        (
            entry("sender: {company: A, reply_to: nobody}"),
            "'nobody' is not an email address.",
        ),
        (entry("sender: {company: A, replyto: a@b.example}"), "did you mean reply_to?"),
        (entry() + "sender: {firm: A}\n", "sender.firm: is no setting"),
        (entry("customer_notices: [attention]"), "'attention' is none of accepted"),
        (entry("signing: {secret: [a]}"), "signing.secret: is no setting: did you mean secrets?"),
        (entry("webhooks: false", "signing: {secrets: [env:A]}"), "takes no webhooks"),
        (entry("provider: rabot"), "FILE:4: provider is here twice"),
        (entry().replace("offergrid\n", "offergird\n"), "FILE:3: connections[0] (offergrid-home)"),
        (entry().replace("offergrid-home", "Main"), "must be up to 40 of a-z, 0-9 and dashes"),
        (entry().replace("provider: offergrid", "provider: subs"), "subs needs base_url"),
        (
            entry("base_url: https://r.example").replace("provider: offergrid", "provider: rabot"),
            "rabot needs token_url",
        ),
        (entry() + "  - id: offergrid-home\n    provider: offergrid\n", "FILE:4: connections[1]"),
        (entry() + "subscriptions:\n  - email: x\n", "FILE:5: subscriptions[0].email: 'x' is no"),
        (
            entry() + "subscriptions:\n  - {kinds: [failed]}\n",
            "needs one of email, the url of an endpoint, slack and teams",
        ),
        (
            entry() + "subscriptions:\n  - email: a@b.example\n"
            '    quiet_hours: {start: "22:00", end: "22:00"}\n',
            "FILE:6: subscriptions[0].quiet_hours: begin and end at 22:00",
        ),
        (endpoint("http://"), "FILE:5: subscriptions[0].url: is no endpoint's URL"),
        (endpoint("https://me:pw@crm.example"), "a user name or password in the URL"),
        (endpoint("https://crm.example", owner=None), "needs owner: the address to tell"),
        (endpoint("https://crm.example", mode="daily"), "mode is not for an endpoint"),
        (
            entry() + "subscriptions:\n  - {email: a@b.example, secret: env:A}\n",
            "secret is not for",
        ),
        (entry("templates: {acepted: {team: {en: a.j2}}}"), "'acepted' is none of accepted"),
        (entry("templates: {accepted: {teams: {en: a.j2}}}"), "'teams' is none of customer, team"),
        (entry() + "subscribers: []\n", "FILE:4: subscribers: is no setting: did you mean"),
        ("connections:\n  offergrid-home: {provider: offergrid}\n", "connections: must be a list"),
        ("connections: [\n", "FILE:2: is not YAML"),
        ("- just\n- a list\n", "FILE:1"),
        ("", "FILE"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_to_do(
    write_file: WriteFile, text: str, said: str
) -> None:
    assert said in refusal(write_file(text))


def test_every_mistake_is_said_at_once(write_file: WriteFile) -> None:
    told = refusal(write_file(entry("page_size: 0", "track: slow", "colour: red")))

    assert [line.split(":")[1] for line in told.splitlines()] == ["4", "5", "6"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere.yaml") == "FILE: can't be read: No such file or directory"


def test_what_is_left_out_takes_the_provider_s_defaults(write_file: WriteFile) -> None:
    file = read_file(write_file(entry()))

    wanted = work_out(file, file.read_secrets(literals=False), {}).connections["offergrid-home"]

    assert wanted.settings.base_url == "https://api.offergrid.io"
    assert wanted.settings.requests_per_minute == 100
    assert str(wanted.schedule) == "15 minutes"
    assert wanted.scheme == "standard-webhooks"


@pytest.mark.parametrize("off", ["off", '"off"', "false"])
def test_polling_can_be_off_however_yaml_reads_it(write_file: WriteFile, off: str) -> None:
    file = read_file(write_file(entry(f"poll: {off}")))

    assert file.declared.connections[0].schedule is None


def test_plain_http_is_let_through_to_this_machine_alone(write_file: WriteFile) -> None:
    file = read_file(write_file(entry("base_url: http://127.0.0.1:8080/offergrid/")))

    assert file.declared.connections[0].base_url == "http://127.0.0.1:8080/offergrid"


def test_a_time_of_day_may_stand_without_quotes(write_file: WriteFile) -> None:
    text = entry() + "subscriptions:\n  - email: a@example.org\n    daily_at: 18:30\n"

    file = read_file(write_file(text))

    assert file.declared.subscriptions[0].daily_at == "18:30"


def test_ids_of_subscriptions_follow_from_the_address_alone(write_file: WriteFile) -> None:
    def ids(subscriptions: str) -> list[str]:
        file = read_file(write_file(entry() + "subscriptions:\n" + subscriptions))
        return list(work_out(file, file.read_secrets(literals=False), {}).subscriptions)

    first = ids("  - email: a@example.org\n  - email: b@example.org\n")
    turned = ids("  - {email: B@example.org, kinds: [failed]}\n  - email: a@example.org\n")

    assert turned == first[::-1]
    assert not any("example" in one for one in first)


@pytest.mark.parametrize("empty", ["[]", "null"])
def test_an_empty_list_means_what_leaving_it_out_means(write_file: WriteFile, empty: str) -> None:
    lists = f"kinds: {empty}, connections: {empty}, service_types: {empty}"
    quiet = 'quiet_hours: {start: "22:00", end: "07:00"'
    said = f"  - {{email: a@example.org, {lists}, {quiet}, passing: {empty}}}}}\n"
    left_out = f"  - {{email: a@example.org, {quiet}}}}}\n"
    telling = entry(f"customer_notices: {empty}")

    def wanted(connection: str, subscription: str) -> Wanted:
        file = read_file(write_file(f"{connection}subscriptions:\n{subscription}"))
        return work_out(file, file.read_secrets(literals=False), {})

    with_empty, without = wanted(telling, said), wanted(entry(), left_out)
    (one,) = with_empty.subscriptions.values()
    assert with_empty.subscriptions == without.subscriptions
    assert with_empty.connections == without.connections
    assert one.kinds == DEFAULT_KINDS


def test_an_address_may_have_two_subscriptions(write_file: WriteFile) -> None:
    text = "subscriptions:\n  - email: a@example.org\n  - {email: a@example.org, kinds: [failed]}\n"
    file = read_file(write_file(entry() + text))

    first, second = work_out(file, file.read_secrets(literals=False), {}).subscriptions

    assert second == f"{first}-2"


def test_references_lead_to_the_environment_and_to_files(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KEY", "from-environment")
    (tmp_path / "token").write_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\n")
    path = write_file(entry("credentials: {api_key: env:KEY}", "signing: {secrets: [file:token]}"))

    secrets = read_file(path).read_secrets(literals=False).connections["offergrid-home"]

    assert secrets.credentials == {"api_key": "from-environment"}
    assert secrets.signing == ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",)


def test_the_file_s_sender_is_that_of_connections_without_their_own(write_file: WriteFile) -> None:
    own = "sender: {company: Own AG, legal: 'CHE-1', contact: 030 1, reply_to: a@b.example}"
    usual = "sender:\n  company: Usual GmbH\n  legal: |\n    Usual GmbH, Berlin\n    HRB 1\n"
    other = "  - id: other\n    provider: offergrid\n"

    file = read_file(write_file(usual + entry(own) + other))
    connections = work_out(file, file.read_secrets(literals=True), {}).connections

    assert connections["offergrid-home"].settings.sender == SenderIdentity(
        company="Own AG", legal="CHE-1", contact="030 1", reply_to="a@b.example"
    )
    assert connections["other"].settings.sender == SenderIdentity(
        company="Usual GmbH", legal="Usual GmbH, Berlin\nHRB 1"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("credentials: {api_key: env:NOT_SET}", "the environment has no NOT_SET: set it"),
        ("credentials: {api_key: file:missing}", "missing can't be read: No such file"),
        ("credentials: {api_key: hunter2}", "write env:NAME or file:PATH"),
        ("credentials: {apikey: env:KEY}", "is not a credential of offergrid: it needs api_key"),
        (
            "signing: {secrets: [env:KEY]}",
            "is not a signing secret: standard-webhooks takes whsec_ and the base64 of 24 to 64",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_said_without_any_secret(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.setenv("KEY", "hunter2 is not base64")
    file = read_file(write_file(entry(line)))

    with pytest.raises(InvalidFile) as refused:
        file.read_secrets(literals=False)

    assert said in str(refused.value)
    assert "connections.yaml:4: connections[0] (offergrid-home)." in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_secret_may_stand_in_the_file_for_the_local_stack(write_file: WriteFile) -> None:
    file = read_file(write_file(entry("credentials: {api_key: local-key}")))

    secrets = file.read_secrets(literals=True).connections["offergrid-home"]
    assert secrets.credentials == {"api_key": "local-key"}


def test_every_setting_of_a_connection_can_be_declared() -> None:
    said_by_poll = {"poll_minutes"}
    known = {one.name for one in fields(Connection) if one.compare} - said_by_poll

    assert known - set(DeclaredConnection.model_fields) == set()


def test_secrets_do_not_show_when_an_object_is_printed(write_file: WriteFile) -> None:
    file = read_file(write_file(entry("credentials: {api_key: hunter2}")))

    assert "hunter2" not in repr(work_out(file, file.read_secrets(literals=True), {}))
