"""What an operator does about the webhooks of a connection, from its page alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.person import PHONE, Person
from tests.e2e.conftest import Client


@pytest.fixture
def webhooks(client: Client) -> Iterator[None]:
    """The signing secrets, which the sandboxes know, are afterwards what they were."""
    manager, arn = client.stack.client("secretsmanager"), client.stack.outputs["SigningSecretsArn"]
    before = manager.get_secret_value(SecretId=arn)["SecretString"]
    yield
    manager.put_secret_value(SecretId=arn, SecretString=before)


@pytest.mark.usefixtures("webhooks")
def test_a_test_webhook_arrives_and_a_new_secret_is_shown_once(operator: Person) -> None:
    operator.open("/connections")
    operator.page.get_by_role("link", name="offergrid-business").click()
    operator.page.wait_for_url("**/connections/offergrid-business")
    page, address = operator.page, operator.address
    page.locator("summary").get_by_text("Send a test webhook").click()
    page.get_by_role("button", name="Send it").click()
    operator.sees("queued and read")
    look(operator)

    operator.open(address)
    page.locator("summary").get_by_text("Rotate the signing secret").click()
    page.get_by_role("button", name="Make a new secret").click()
    operator.sees("shown this once")
    secret = page.locator("section .mono").inner_text()
    assert secret.startswith("whsec_")
    assert secret not in page.url
    look(operator)

    operator.open(address)
    operator.sees("A rotation is in progress")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.locator("summary").get_by_text("Finish the rotation").click()
    look(operator)
    page.get_by_role("button", name="Refuse the previous secret").click()
    operator.sees("The rotation is finished")


def look(person: Person) -> None:
    """The page as it is now is accessible in both schemes and fits a phone."""
    wide = person.page.viewport_size
    assert wide is not None
    for scheme, size in (("dark", wide), ("light", PHONE)):
        person.page.emulate_media(color_scheme=scheme)
        person.page.set_viewport_size(size)
        assert person.findings() == [], (scheme, person.address)
        assert not person.is_too_wide, person.address
    person.page.set_viewport_size(wide)
