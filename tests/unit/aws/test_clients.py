"""``milepost.aws.clients``: what is changed of botocore's model, and with which botocore."""

import subprocess
import sys

import botocore

from milepost.aws.botocore_clients import TESTED_BOTOCORE

ROUND_TRIP = """
import json, sys
import botocore
botocore.__version__ = sys.argv[1]
from botocore.awsrequest import AWSResponse
from milepost.aws.clients import client

ITEM = {"pk": {"S": "a"}, "n": {"N": "1.50"}, "m": {"M": {"l": {"L": [{"BOOL": True}]}}}}
sent = []

def answer(request, **_):
    sent.append(json.loads(request.body))
    class Raw:
        def stream(self):
            yield json.dumps({"Item": ITEM}).encode()
    return AWSResponse(request.url, 200, {}, Raw())

dynamodb = client("dynamodb")
dynamodb.meta.events.register("before-send.dynamodb", answer)
dynamodb.put_item(TableName="t", Item=ITEM)
got = dynamodb.get_item(TableName="t", Key={"pk": {"S": "a"}})
shape = dynamodb.meta.service_model.shape_for("PutItemInputAttributeMap")
print(json.dumps([sent[0]["Item"] == ITEM, got["Item"] == ITEM, shape.type_name]))
"""


def _round_trip(version: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", ROUND_TRIP, version],
        check=True,
        capture_output=True,
        text=True,
        env={
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        },
    )
    return found.stdout.strip()


def test_the_model_is_changed_for_the_installed_botocore() -> None:
    assert botocore.__version__.startswith(TESTED_BOTOCORE), "try clients.py with it, then name it"
    assert _round_trip(botocore.__version__) == '[true, true, "structure"]'


def test_another_botocore_keeps_its_model_and_items_are_the_same() -> None:
    assert _round_trip("9.0.0") == '[true, true, "map"]'
