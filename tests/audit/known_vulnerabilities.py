"""Asks pip-audit whether any package in the lock files has a known vulnerability.

``python known_vulnerabilities.py <pip-audit> <lock file>...``. Exit status 0: none is known;
1: some are; 2: it could not be asked, and the last line says why.
"""

import json
import subprocess
import sys
from typing import Any

NONE_KNOWN, SOME_KNOWN, NOT_ASKED = range(3)


def main(pip_audit: str, *lock_files: str) -> int:
    try:
        packages = [one for lock_file in lock_files for one in _audit(pip_audit, lock_file)]
    except ValueError as error:
        print(error)
        return NOT_ASKED
    for package in packages:
        for known in package.get("vulns", []):
            fixed = ", ".join(known["fix_versions"]) or "no version"
            print(f"{package['name']} {package['version']}: {known['id']}, fixed in {fixed}")
    if any(package.get("vulns") for package in packages):
        return SOME_KNOWN
    not_asked = {package["name"] for package in packages if "skip_reason" in package}
    if not_asked:
        print(f"{len(not_asked)} packages: pip-audit's source knows nothing of them from here")
        return NOT_ASKED
    print(f"No vulnerability is known of {len(packages)} packages.")
    return NONE_KNOWN


def _audit(pip_audit: str, lock_file: str) -> list[dict[str, Any]]:
    """Each package with its vulnerabilities, or with the reason why they could not be looked up.

    :raises ValueError: when it answers something else
    """
    command = [pip_audit, "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "--format", "json", "--requirement", lock_file],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise ValueError(f"pip-audit failed on {lock_file}: {done.stderr.strip()[-300:]}") from None
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
