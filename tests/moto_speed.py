"""Makes slow parts of moto faster, with the same responses.

Tests on moto spend most of theirs in it. moto 5.2.5 looks for each of the ten members that an
attribute value can have under up to twelve names, though a value has one; lists the methods of a
service's class at every request; and asks for the same types at every node of an expression.
"""

from functools import lru_cache
from typing import Any

import pytest
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.parsing import ast_nodes

_serialize = BaseJSONSerializer._serialize_type_structure
_traverser: Any = vars(ast_nodes)["DepthFirstTraverser"]
_types = _traverser.nodes_to_be_processed


def _only_what_is_there(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name != "AttributeValue" or type(value) is not dict:
        _serialize(self, serialized, value, shape, key)
        return
    wrapper: dict[str, Any] = {}
    for name, member in value.items():
        self._serialize(wrapper, member, shape.members[name], name)
    self._default_serialize(serialized, wrapper, shape, key)


def _types_once(self: Any) -> Any:
    if not hasattr(self, "_types"):
        self._types = _types(self)
    return self._types


def make_moto_quicker() -> None:
    """Apply the changes, for as long as the process lives."""
    patch = pytest.MonkeyPatch()
    patch.setattr(BaseJSONSerializer, "_serialize_type_structure", _only_what_is_there)
    patch.setattr(_traverser, "nodes_to_be_processed", _types_once)
    patch.setattr("moto.core.responses.method_names_from_class", lru_cache(method_names_from_class))
