"""The same orders by dlt's rest_api source, incremental by their last change, into DynamoDB.

dlt has no destination for DynamoDB: its custom destination hands over batches of rows.
"""

import json
import os
import sys
import tempfile
import time
from decimal import Decimal

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import boto3
import dlt
from dlt.sources.rest_api import rest_api_source

table = boto3.resource(
    "dynamodb",
    region_name="eu-central-1",
    endpoint_url=sys.argv[2],
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
).Table("dlt-orders")


@dlt.destination(batch_size=100, name="dynamodb", naming_convention="direct", max_table_nesting=0)
def dynamodb(items, _table):
    """Put each order in place of its earlier version."""
    with table.batch_writer() as writer:
        for item in items:
            plain = json.loads(json.dumps(item, default=str), parse_float=Decimal)
            writer.put_item(Item={"pk": item["orderId"], "sk": "order", **plain})


def load(pipeline: dlt.Pipeline) -> int:
    """Load what has changed; how many orders that were."""
    source = rest_api_source(
        {
            "client": {
                "base_url": sys.argv[1],
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "nextCursor",
                    "cursor_param": "cursor",
                },
            },
            "resources": [
                {
                    "name": "orders",
                    "primary_key": "orderId",
                    "write_disposition": "append",
                    "endpoint": {
                        "path": "reseller/orders",
                        "data_selector": "orders",
                        "params": {"limit": 100},
                        "incremental": {
                            "cursor_path": "updatedAt",
                            "start_param": "updatedSince",
                            "initial_value": "2020-01-01T00:00:00Z",
                        },
                    },
                }
            ],
        }
    )
    pipeline.run(source)
    return pipeline.last_trace.last_normalize_info.row_counts.get("orders", 0)


with tempfile.TemporaryDirectory() as place:
    pipeline = dlt.pipeline(
        pipeline_name="orders_in_dynamodb", pipelines_dir=place, destination=dynamodb
    )
    print("null", flush=True)
    for _ in sys.stdin:
        started = time.process_time()
        changed = load(pipeline)
        seconds = time.process_time() - started
        print(json.dumps({"seconds": seconds, "changed": changed}), flush=True)
