"""The same orders by dlt's rest_api source, incremental by their last change, into duckdb."""

import json
import os
import sys
import tempfile
import time

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
from dlt.sources.rest_api import rest_api_source


def load(pipeline: dlt.Pipeline) -> None:
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


with tempfile.TemporaryDirectory() as place:
    pipeline = dlt.pipeline(
        pipeline_name="orders",
        pipelines_dir=place,
        destination=dlt.destinations.duckdb(f"{place}/kept.duckdb"),
        dataset_name="bench",
    )
    load(pipeline)
    started = time.process_time()
    load(pipeline)
    seconds = time.process_time() - started
print(json.dumps(seconds))
