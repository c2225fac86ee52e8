"""Adapters of stored declared providers: each version is parsed once."""

from functools import lru_cache
from typing import Final

from pydantic import ValidationError

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.connections.declared_provider import StoredProvider, UnusableProvider
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.file_format import Declaration

_KEPT: Final = 64


@lru_cache(maxsize=_KEPT)
def read_stored(stored: StoredProvider) -> Declaration:
    """Parse a stored declaration.

    :raises UnusableProvider: when this version can't read it; says where
    """
    try:
        said = Declaration.model_validate(read_object(stored.text.encode("utf-8", "replace")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(one) for one in first["loc"])
        raise UnusableProvider(f"{stored}: {place or 'it'} can't be read: apply it again") from None
    except (BadPayload, RecursionError):
        raise UnusableProvider(f"{stored}: it is not JSON: apply it again") from None
    if said.name != stored.name:
        raise UnusableProvider(f"{stored}: it names another provider: apply it again")
    return said


@lru_cache(maxsize=_KEPT)
def adapter_for(stored: StoredProvider, base_url: str) -> DeclaredProvider:
    """The adapter of a stored provider, for connections with this base URL.

    :raises UnusableProvider: as ``read_stored``
    """
    return DeclaredProvider(read_stored(stored), base_url=base_url)
