"""DynamoDB Local on this machine, and the capacity that it reports as consumed."""

import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from botocore.session import get_session

from bench.children import ROOT, WORK
from bench.sizes import write_units
from local.processes import find_free_port

READY_SECONDS: Final = 60


@contextmanager
def running_engine(*, folder: Path | None = None) -> Iterator[Any]:
    """A DynamoDB client of DynamoDB Local, which ends with the block.

    :param folder: where it keeps its one file of tables; without, it keeps them in memory
    :raises SystemExit: when it can't be had, with what is missing
    """
    place, port = _fetch(), find_free_port()
    storage = ["-dbPath", str(folder), "-sharedDb"] if folder else ["-inMemory"]
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "dynamodb.log").open("wb") as log:
        child = subprocess.Popen(
            [
                "java",
                f"-Djava.library.path={place / 'DynamoDBLocal_lib'}",
                "-jar",
                str(place / "DynamoDBLocal.jar"),
                *(*storage, "-disableTelemetry", "-port", str(port)),
            ],
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url)
            yield _client(url)
        finally:
            child.terminate()
            child.wait()


def _fetch() -> Path:
    fetched = subprocess.run(
        [str(ROOT / "tests" / "contracts" / "dynamodb_local" / "fetch.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise SystemExit(f"This part needs DynamoDB Local: {fetched.stderr.strip()}")
    return Path(fetched.stdout.strip())


def _client(url: str) -> Any:
    return get_session().create_client(
        "dynamodb",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False, max_pool_connections=50),
    )


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2)
        except urllib.error.HTTPError:
            return  # It answers, if only that it wants a signature.
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"DynamoDB Local did not answer: see {WORK / 'dynamodb.log'}")


class Meter:
    """The capacity that a client's requests consumed, including indexes, by operation."""

    def __init__(self, client: Any) -> None:
        self.units: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("after-call.dynamodb", self._add)

    def total(self, *operations: str) -> float:
        return sum(self.units[name] for name in operations)

    def clear(self) -> None:
        self.units.clear()
        self.calls.clear()

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        if model.name == "TransactWriteItems":
            self.units[model.name] += sum(map(_transacted_units, params["TransactItems"]))
        known = model.input_shape.members
        asks = {"ReturnConsumedCapacity": "TOTAL"} if "ReturnConsumedCapacity" in known else {}
        return {**params, **asks}

    def _add(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        self.calls[model.name] += 1
        if model.name == "TransactWriteItems":
            return  # counted as they were requested: the engine reports one item of them alone
        for one in consumed if isinstance(consumed, list) else [consumed]:
            self.units[model.name] += one["CapacityUnits"]


def _transacted_units(action: Mapping[str, Any]) -> int:
    """Write units of an action of a transaction: twice those of the item, by its size. Items that
    are updated or deleted are smaller than 1 KB."""
    return 2 * (write_units(action["Put"]["Item"]) if "Put" in action else 1)
