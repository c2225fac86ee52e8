"""Reads the output of ``transformed_policies.py``, and checks it with parliament and policy_sentry.

Exit status 0: nothing is wrong that ``EXPECTED`` doesn't name with its reason.
"""

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

warnings.simplefilter("ignore")

from parliament import analyze_policy_string, enhance_finding  # noqa: E402
from policy_sentry.analysis.analyze import analyze_by_access_level  # noqa: E402
from policy_sentry.querying.actions import get_action_data  # noqa: E402

EXPECTED = {
    # The ARN of SAM's transform has `aws` where others have an account.
    "deployer: INVALID_ARN arn:aws:cloudformation:*:aws:transform/Serverless-2016-10-31",
    # Its statement Anywhere has what reads, what is of log delivery, and what has no ARN.
    "deployer: RESOURCE_STAR",
    # Settings of buckets are read by `s3:Get*Configuration`, which this one is called like.
    "deployer: RESOURCE_MISMATCH [{'action': 's3:GetStorageLensConfiguration', "
    "'required_format': 'arn:*:s3:*:*:storage-lens/*'}]",
    # CloudFormation's schema of APIs names them; both lists are older.
    "deployer: UNKNOWN_ACTION apigateway:TagResource",
    "deployer: UNKNOWN_ACTION apigateway:UntagResource",
}
MANAGES_PERMISSIONS = {"iam:PassRole"}
"""What roles of functions may do of what changes permissions: one role, to Scheduler alone."""


def faults_of(name: str, policy: Mapping[str, Any]) -> Iterator[str]:
    for finding in map(enhance_finding, analyze_policy_string(json.dumps(policy)).findings):
        named = finding.location.get("string") or ""
        if finding.issue == "UNKNOWN_ACTION" and get_action_data(*named.split(":")):
            continue
        if finding.issue == "RESOURCE_STAR":
            yield f"{name}: RESOURCE_STAR"
        else:
            yield f"{name}: {finding.issue} {named or finding.detail}"
    if name != "deployer":
        found = analyze_by_access_level(policy, "Permissions management")
        yield from (f"{name}: may {one}" for one in set(found) - MANAGES_PERMISSIONS)


def main() -> int:
    policies = json.load(sys.stdin)
    faults = {fault for name, policy in policies.items() for fault in faults_of(name, policy)}
    for fault in sorted(faults - EXPECTED):
        print(fault)
    for fault in sorted(EXPECTED - faults):
        print(f"no longer found, so no longer expected: {fault}")
    if faults != EXPECTED:
        return 1
    print(f"parliament and policy_sentry find nothing in {len(policies)} policies.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
