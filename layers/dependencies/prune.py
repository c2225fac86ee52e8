"""Leave out of the layer what no function uses: it would be unpacked at every cold start."""

import shutil
import sys
from pathlib import Path

SERVICES = {
    "dynamodb",
    "s3",
    "scheduler",
    "secretsmanager",
    "sesv2",
    "sns",
    "sqs",
    "ssm",
}
LANGUAGES = {"en", "de", "da", "root"}


def prune(packages: Path) -> None:
    """Cut botocore's data to our services and Babel's to our languages; drop bytecode and tools."""
    for service in (packages / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    for locale in (packages / "babel" / "locale-data").glob("*.dat"):
        if locale.stem.split("_")[0] not in LANGUAGES:
            locale.unlink()
    for name in ("bin", "boto3/examples"):
        shutil.rmtree(packages / name, ignore_errors=True)
    for cache in list(packages.rglob("__pycache__")):
        shutil.rmtree(cache)


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
