"""What goes into the API and comes out of it, in JSON."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A body. Its validator is made for the first request that needs it: a start makes none."""

    model_config = ConfigDict(defer_build=True)
