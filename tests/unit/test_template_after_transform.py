"""The template as SAM leaves it for CloudFormation: what SAM adds, and what it makes of ours."""

from samtranslator.model.iam import IAMRolePolicies

from tests.template import ROLES, TEMPLATE, chosen
from tests.transformed_template import of_type, resources


def test_sam_makes_no_role_of_its_own() -> None:
    # Those that it makes for schedules are for whichever account Scheduler acts for.
    assert of_type("AWS::IAM::Role").keys() == ROLES.keys()


def test_each_schedule_has_the_stacks_name_group_and_role() -> None:
    schedules = of_type("AWS::Scheduler::Schedule")
    assert schedules
    for name, schedule in schedules.items():
        properties = schedule["Properties"]
        assert properties["Name"]["Fn::Sub"].startswith("${AWS::StackName}-"), name
        assert properties["GroupName"] == {"Ref": "Schedules"}
        assert properties["Target"]["RoleArn"] == {"Fn::GetAtt": ["SchedulesRole", "Arn"]}


def test_a_schedules_role_may_start_what_schedules_start_and_nothing_else() -> None:
    # Scheduler drops what it may not start, and tells nobody.
    [policy] = resources()["SchedulesRole"]["Properties"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    allowed = {one["Fn::GetAtt"][0] for one in statement["Resource"]}
    schedules = of_type("AWS::Scheduler::Schedule").values()
    assert {one["Properties"]["Target"]["Arn"]["Fn::GetAtt"][0] for one in schedules} == allowed


def test_the_api_is_not_refused_for_what_sam_writes_of_open_routes() -> None:
    # SAM names an authorizer NONE that it doesn't declare: with FailOnWarnings creation may fail.
    [api] = of_type("AWS::ApiGatewayV2::Api").values()
    assert not api["Properties"].get("FailOnWarnings", False)


def test_a_route_without_a_token_has_no_authorizer_and_every_other_one_has() -> None:
    [api] = of_type("AWS::ApiGatewayV2::Api").values()
    methods = {
        f"{method} {path}": properties.get("security")
        for path, of_path in api["Properties"]["Body"]["paths"].items()
        for method, properties in of_path.items()
    }
    open_ones = {name for name, security in methods.items() if security == [{"NONE": []}]}
    assert open_ones == {
        "x-amazon-apigateway-any-method /webhooks/{connection}",
        "get /unsubscribe/{token}",
        "post /unsubscribe/{token}",
        "get /track/{token}",
        "x-amazon-apigateway-any-method /console",
        "x-amazon-apigateway-any-method /console/{proxy+}",
    }
    others = [security for name, security in methods.items() if name not in open_ones]
    assert others == [[{"People": []}]] * len(others)


def test_what_could_not_be_announced_may_be_left_as_sams_own_policy_allows_it() -> None:
    # On all of the bucket: Lambda may look at more than its prefix when the mapping is made.
    own = IAMRolePolicies.s3_send_event_payload_role_policy("arn", "Any")["PolicyDocument"]
    needed = {statement["Action"]: statement["Resource"] for statement in own["Statement"]}
    assert needed == {"s3:PutObject": {"Fn::Join": ["/", ["arn", "*"]]}, "s3:ListBucket": "arn"}
    [policy] = [
        one
        for one in resources()["AnnounceRole"]["Properties"]["Policies"]
        if one.get("PolicyName") == "announce"
    ]
    allowed = {
        statement["Action"]: statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        if str(statement["Action"]).startswith("s3:")
    }
    assert allowed == {
        "s3:PutObject": {"Fn::Sub": "${UnannouncedBucket.Arn}/*"},
        "s3:ListBucket": {"Fn::GetAtt": ["UnannouncedBucket", "Arn"]},
    }


def test_the_access_log_needs_no_line_of_its_own_in_the_accounts_resource_policy() -> None:
    name = resources()["ApiLogGroup"]["Properties"]["LogGroupName"]
    assert name["Fn::Sub"].startswith("/aws/vendedlogs/${AWS::StackName}/")


def test_mails_may_go_to_whatever_identity_ses_checks_in_its_sandbox() -> None:
    # The recipient's too: aws-sdk-js#3641. From whom is the condition's matter.
    mailing = [
        statement["Resource"]
        for role in of_type("AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
        for statement in chosen(policy)["PolicyDocument"]["Statement"]
        if statement["Action"] == "ses:SendEmail"
    ]
    assert len(mailing) == 3
    for allowed in mailing:
        assert any(one["Fn::Sub"].endswith(":identity/*") for one in allowed)


def test_webhooks_reserve_no_concurrency_unless_it_is_asked_for() -> None:
    # An account with a quota of 10 refuses any reservation.
    assert TEMPLATE["Parameters"]["WebhookConcurrency"]["Default"] == 0
    for name, one in of_type("AWS::Lambda::Function").items():
        reserved = one["Properties"].get("ReservedConcurrentExecutions")
        if name == "ReceiveWebhookFunction":
            assert reserved["Fn::If"][0] == "ReservesWebhooks"
            assert reserved["Fn::If"][2] == {"Ref": "AWS::NoValue"}
        else:
            assert reserved is None


def test_every_function_has_a_name_that_lambda_takes_for_the_longest_stack() -> None:
    longest = "milepost-" + "a" * 24
    for name, one in of_type("AWS::Lambda::Function").items():
        said = one["Properties"]["FunctionName"]["Fn::Sub"]
        assert len(said.replace("${AWS::StackName}", longest)) <= 64, name
