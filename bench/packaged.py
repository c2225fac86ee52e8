"""The output of `sam build`, packed and unpacked as Lambda does it, compared with a bare boto3."""

import compileall
import py_compile
import shutil
import sysconfig
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.children import WORK
from local.build import TEMPLATE, build_stack
from tests.stack import DEAD_LETTERS, template, variables_of_all_functions

PACKAGES_OF_BOTO3: Final = (
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "six.py",
    "urllib3",
)


def list_functions() -> dict[str, str]:
    """The template's functions by the name of their folder, with their logical ids."""
    return {
        Path(one["Properties"]["CodeUri"]).name: logical_id
        for logical_id, one in template().items()
        if one["Type"] == "AWS::Serverless::Function"
    }


@cache
def unpacked() -> Path:
    """A folder with ``opt`` (the layers) and a folder for each function, as Lambda unpacks them."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "build.log").open("ab") as log:
        build_stack(log=log)
    place = WORK / "unpacked"
    shutil.rmtree(place, ignore_errors=True)
    build = TEMPLATE.parent
    for layer in ("CoreLayer", "DependenciesLayer"):
        _pack_and_unpack(build / layer, place / "opt")
    for name, logical_id in list_functions().items():
        _pack_and_unpack(build / logical_id, place / name)
    return place


def path_of(function: str) -> list[Path]:
    """Where Lambda has Python look for a function's modules."""
    place = unpacked()
    return [place / function, place / "opt" / "python"]


@cache
def bare_boto3() -> list[Path]:
    """boto3 by itself with bytecode that is valid: what every cold start is measured by."""
    place = WORK / "boto3"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    site = Path(sysconfig.get_paths()["purelib"])
    for name in PACKAGES_OF_BOTO3:
        source = site / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, place / name)
    compileall.compile_dir(
        place,
        quiet=1,
        force=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    return [place]


def _pack_and_unpack(source: Path, target: Path) -> None:
    # A zip keeps two seconds of a timestamp and SAM's are of 1980: ordinary bytecode is void then.
    packed = target.parent / "packed.zip"
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                name = zipfile.ZipInfo(str(path.relative_to(source)))
                archive.writestr(name, path.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(target)
    packed.unlink()


def environment_of(function: str, *, endpoint: str) -> dict[str, str]:
    """What the template sets for a function, with names of nothing and an endpoint of ours."""
    declared: dict[str, Any] = template()[list_functions()[function]]["Properties"]
    variables = declared.get("Environment", {}).get("Variables", {})
    url = f"{endpoint}/000000000000/name"
    kinds = {"BUCKET": "bucket", "CREDENTIALS_ARN": "credentials", "DAYS": "366"}
    kinds["DEAD_LETTERS"] = DEAD_LETTERS
    values = {
        name: next((of_it for kind, of_it in kinds.items() if name.endswith(kind)), url)
        for name in variables
    }
    return {**variables_of_all_functions(), **values, "AWS_ENDPOINT_URL": endpoint}
