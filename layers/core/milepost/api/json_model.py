"""The base of the API's JSON bodies. Short: every schema builds on it."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A JSON body. Its validator is built at the first request that needs it, not at the cold
    start."""

    model_config = ConfigDict(defer_build=True)
