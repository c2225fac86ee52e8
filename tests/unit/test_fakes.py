"""Fakes have the methods of what they stand for, and no others. mypy checks their types."""

import inspect
import pkgutil
from importlib import import_module

import pytest

from tests import fakes
from tests.fakes.protocols import STANDS_FOR


def test_every_fake_says_what_it_stands_for() -> None:
    found = {
        one
        for module in pkgutil.iter_modules(fakes.__path__, "tests.fakes.")
        for _, one in inspect.getmembers(import_module(module.name), inspect.isclass)
        if one.__name__.startswith("Memory")
    }
    assert found == STANDS_FOR.keys()


@pytest.mark.parametrize("fake", STANDS_FOR, ids=lambda fake: str(fake.__name__))
def test_a_fake_has_no_method_that_the_core_could_not_call(fake: type) -> None:
    # Properties and class methods are how tests read and make it.
    methods = {name for name, _ in inspect.getmembers(fake, inspect.isfunction) if name[0] != "_"}
    assert methods <= {name for one in STANDS_FOR[fake] for name in dir(one)}
