"""The first page: what needs a hand today."""

from milepost.console.answers import Answer
from milepost.console.routing import Pages
from milepost.console.visit import Visit

pages = Pages()


@pages.get("/console")
def show_today(visit: Visit) -> Answer:
    """To the orders, until there is a page of its own."""
    return visit.go_to("/console/orders")
