"""The kinds by which the activity log is filtered are those that are recorded."""

import re

from milepost.activity.command_kinds import OF_THE_COMMAND
from milepost.api.auth import READING
from milepost.api.change_recording import kind_of, kinds_of_routes
from milepost.api.routing import SUBJECTS
from tests.stack import ROOT
from tests.unit.api.conftest import Desk


def test_the_kinds_of_routes_are_those_under_which_they_are_recorded() -> None:
    resolvers = [Desk().api.resolver_of(subject) for subject in SUBJECTS]
    routes = [r for one in resolvers for r in (*one._static_routes, *one._dynamic_routes)]
    kinds = {kind_of(one) for one in routes if one.method not in READING}
    assert kinds_of_routes() == kinds >= {"perform_action", "save_view"}


def test_each_kind_of_the_command_is_recorded_by_it_and_no_other() -> None:
    source = "".join(one.read_text() for one in sorted((ROOT / "cli").rglob("*.py")))
    literal = set(re.findall(r'recorded\(\s*[\w.]+,\s*"(\w+)"', source))
    assert len(literal) > 5
    assert literal <= OF_THE_COMMAND
    assert {one for one in OF_THE_COMMAND if f'"{one}"' not in source} == set()
    assert literal | {"rotate_signing_secret", "finish_signing_secret_rotation"} == OF_THE_COMMAND
