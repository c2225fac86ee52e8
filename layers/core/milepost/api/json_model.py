"""The base of the API's JSON bodies. Short: every schema builds on it."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A body. Its validator is made for the first request that needs it: a start makes none."""

    model_config = ConfigDict(defer_build=True)
