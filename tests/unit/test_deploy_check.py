"""`make deploy-check`, and the policy of whoever deploys."""

import json
from pathlib import Path
from typing import Any

import pytest

from local import deploy_check
from local.deploy_check import check_line, check_names, check_packages, check_template
from local.deployer_policy import (
    LONGEST,
    PATH,
    UNUSED,
    actions_for,
    as_text,
    handlers_of,
    make_policy,
    read_template,
)
from local.errors import CannotStart

GIVEN = ("STAGE=dev", "SENDER=milepost@example.org")
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"


@pytest.mark.thorough
def test_a_right_line_has_no_troubles_also_with_a_domain() -> None:
    domain = ("DOMAIN=milepost.example.org", f"CERTIFICATE={CERTIFICATE}")
    assert list(check_line([*GIVEN, *domain])) == []


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (("ALARMS=ops",), "AlarmAddress=ops"),
        (("DOMAIN=https://x.example.org", f"CERTIFICATE={CERTIFICATE}"), "DomainName=https"),
        (("DOMAIN=x.example.org",), "belong together"),
        (("MFA=maybe",), "Mfa=maybe"),
    ],
)
def test_what_the_template_would_refuse_is_said_before(
    variables: tuple[str, ...], said: str
) -> None:
    [trouble] = check_line([*GIVEN, *variables])
    assert said in trouble


def test_a_line_that_make_refuses_is_said() -> None:
    with pytest.raises(CannotStart, match="backslash"):
        list(check_line(["STAGE=dev", "SENDER=a\\b@example.org"]))


def test_names_that_would_be_too_long_are_said() -> None:
    assert list(check_names(read_template(), stack="milepost-" + "a" * 24)) == []
    assert any("may have 64" in one for one in check_names(read_template(), stack="a" * 60))


def test_a_template_with_too_many_resources_or_bytes_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many: dict[str, Any] = {"Resources": {str(number): {} for number in range(501)}}
    assert any("501 Resources" in one for one in check_template(many))
    monkeypatch.setattr(deploy_check, "MOST_BYTES_OF_A_TEMPLATE", 1_000)
    assert any("bytes" in one for one in check_template(read_template()))


def test_a_function_that_is_too_large_with_its_layers_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(check_packages(tmp_path)) == []
    function = {"Resources": {"OneFunction": {"Type": "AWS::Serverless::Function"}}}
    (tmp_path / "template.yaml").write_text(json.dumps(function))
    for name in ("OneFunction", "CoreLayer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x" * 60)
    assert list(check_packages(tmp_path)) == []
    monkeypatch.setattr(deploy_check, "MOST_BYTES_OF_A_FUNCTION", 100)
    assert "OneFunction" in next(check_packages(tmp_path))


def test_the_deployers_policy_is_that_of_the_template() -> None:
    """Nothing is missing, nothing is left over. Write it again by `make deployer-policy`."""
    policy = make_policy(read_template())
    assert PATH.read_text() == as_text(policy)
    assert len(json.dumps(policy, separators=(",", ":"))) <= LONGEST


def test_what_a_type_of_resource_needs_comes_and_goes_with_it() -> None:
    def needs(kind: str) -> frozenset[str]:
        return actions_for({"Resources": {"One": {"Type": kind}}})

    assert needs("AWS::SQS::Queue") == handlers_of("AWS::SQS::Queue")
    assert "lambda:PublishLayerVersion" in needs("AWS::Serverless::LayerVersion")
    assert {"lambda:CreateFunction", "iam:PassRole"} <= needs("AWS::Serverless::Function")
    assert "logs:CreateLogDelivery" in needs("AWS::Serverless::HttpApi")
    assert needs("AWS::SQS::Queue") <= actions_for(read_template())


def test_the_policy_allows_no_reading_of_stored_data_and_no_role_of_others() -> None:
    statements: list[dict[str, Any]] = make_policy(read_template())["Statement"]
    allowed = {a for one in statements for a in as_list(one["Action"])}
    assert not allowed & {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"}
    assert not allowed & UNUSED
    for one in statements:
        if any(a.startswith("iam:") for a in as_list(one["Action"])) and one["Sid"] != "Anywhere":
            assert all(":role/" in resource for resource in as_list(one["Resource"]))
        if one["Sid"] == "Anywhere":
            changing = {a for a in one["Action"] if a.split(":")[1][:3] in {"Cre", "Put", "Upd"}}
            # IAM knows no resource for the one of SES.
            changing -= {"ses:CreateConfigurationSet"}
            assert {a.split(":")[0] for a in changing} == {"logs"}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
