"""Schemathesis against the deployed API: no failure of ours, and no answer that isn't described."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Client

ROOT = Path(__file__).parents[2]
TOOL = ROOT / ".local" / "tools" / "schemathesis" / "bin" / "schemathesis"
SECONDS = 90
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
)
_OF_WEBHOOKS = "^/connections/[^/]+/(send-test|rotate-secret|finish-rotation)$"


@pytest.mark.thorough
@pytest.mark.skipif(not TOOL.exists(), reason="make .local/tools/schemathesis/.installed")
def test_no_request_makes_the_api_fail_or_answer_what_is_not_described(
    client: Client, tmp_path: Path
) -> None:
    token = client.stack.tokens["operator"]
    _, document = client.call(
        "GET",
        f"{client.stack.api_url}/openapi.json",
        headers={"authorization": f"Bearer {client.stack.tokens['viewer']}"},
    )
    described = tmp_path / "openapi.json"
    described.write_bytes(document)
    command = [TOOL, "run", described, "--url", client.stack.api_url]
    command += ["--header", f"Authorization: Bearer {token}"]
    command += ["--checks", ",".join(CHECKS), "--max-time", str(SECONDS), "--seed", "1"]
    command += ["--request-timeout", "30", "--workers", "1", "--continue-on-failure"]
    # Not on the connections that other tests use, whose providers would sign with a wrong secret.
    command += ["--exclude-path-regex", _OF_WEBHOOKS]
    command += ["--suppress-health-check", "all", "--warnings", "off"]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=10 * SECONDS,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
