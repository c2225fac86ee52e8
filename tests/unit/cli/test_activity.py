"""``milepost activity``, and the entries of what the command itself changes."""

import json

from milepost.common.status import Status
from tests.builders import report
from tests.unit.cli.conftest import Deployed


def test_what_was_done_by_the_command_is_listed(deployed: Deployed) -> None:
    one = report(Status.ACCEPTED)
    deployed.keep(one)
    order = f"{one.connection}:{one.order_id}:{one.item_id}"
    assert deployed.run("actions", "do", order, "note", "--note", "rang them").exit_code == 0
    shown = deployed.run("activity", "--order", order, "--json")
    (entry,) = json.loads(shown.stdout)["entries"]
    assert (entry["kind"], entry["via"], entry["outcome"]) == ("perform_action", "command", "done")
    assert entry["targets"]["order"] == order
    assert "rang" not in shown.stdout
    table = deployed.run("activity", "--kind", "perform_action")
    assert f"order {order}" in table.stdout
    assert deployed.run("activity", "--person", "nobody").stdout == "There are no changes.\n"


def test_what_the_command_changes_itself_is_recorded(deployed: Deployed) -> None:
    done = deployed.run("connections", "secret", "rotate", "offergrid-home")
    assert done.exit_code == 0, done.output
    listed = deployed.run("activity", "--kind", "rotate_signing_secret", "--json")
    (entry,) = json.loads(listed.stdout)["entries"]
    assert entry["targets"] == {"connection": "offergrid-home"}
    assert (entry["outcome"], entry["via"]) == ("done", "command")
    assert entry["subject"] == f"aws:{entry['person']}"
    assert done.stdout.strip() not in listed.stdout
    again = deployed.run("connections", "secret", "rotate", "offergrid-home")
    assert again.exit_code != 0
    refused = deployed.run("activity", "--outcome", "refused", "--json")
    assert [one["kind"] for one in json.loads(refused.stdout)["entries"]] == [
        "rotate_signing_secret"
    ]
