"""Builds the template for this machine with sam, when its sources have changed."""

import compileall
import hashlib
import platform
import py_compile
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

from local.errors import CannotStart
from local.files import ROOT
from local.processes import plain_environment, require_tool

# Apart from `make build`, which builds for the processor and the Python of AWS.
BUILD: Final = ROOT / ".aws-sam" / "local"
TEMPLATE: Final = BUILD / "build" / "template.yaml"
_DIGEST: Final = BUILD / "build" / ".sources.sha256"
_SOURCES: Final = ("template.yaml", "functions", "layers", "requirements.lock")
_INSTALL: Final = "run `make install` first."


def local_parameters() -> dict[str, str]:
    """The template's parameters that depend on this machine."""
    machine = platform.machine().lower()
    return {
        "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "Architecture": "arm64" if machine in ("arm64", "aarch64") else "x86_64",
    }


def _target_of_layers() -> dict[str, str]:
    """The target platform of the layers' makefiles, in uv's terms: this Python, this machine."""
    processor = "aarch64" if local_parameters()["Architecture"] == "arm64" else "x86_64"
    system = "apple-darwin" if sys.platform == "darwin" else "manylinux2014"
    return {
        "TARGET_PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
        "TARGET_PLATFORM": f"{processor}-{system}",
    }


def build_stack(*, log: IO[bytes]) -> bool:
    """Run `sam build` unless the sources are those of the last build; returns whether it ran.

    :raises CannotStart: when sam is missing or the build fails
    """
    if not (ROOT / "template.yaml").exists():
        raise CannotStart(
            f"There is no template.yaml in {ROOT}: run this in a checkout of Milepost."
        )
    require_tool("sam", remedy=_INSTALL)
    require_tool("make", remedy="install make; sam builds the layers with it.")
    parameters = local_parameters()
    digest = _digest_sources(parameters)
    if TEMPLATE.exists() and _DIGEST.exists() and _DIGEST.read_text() == digest:
        return False
    command = ["sam", "build", "--cached", "--parallel", "--template-file", "template.yaml"]
    command += ["--build-dir", str(TEMPLATE.parent), "--cache-dir", str(BUILD / "cache")]
    run_sam(
        command, parameters=parameters, log=log, what="sam build", environment=_target_of_layers()
    )
    compile_functions(TEMPLATE.parent)
    _DIGEST.write_text(digest)
    return True


def compile_functions(build: Path) -> None:
    """Compile the functions' own modules to bytecode, like the layers' modules: valid at any
    timestamp.
    """
    for folder in build.glob("*Function"):
        compileall.compile_dir(
            folder,
            quiet=1,
            force=True,
            stripdir=str(folder),
            prependdir="/var/task",
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def run_sam(
    command: list[str],
    *,
    parameters: Mapping[str, str],
    log: IO[bytes],
    what: str,
    environment: Mapping[str, str],
) -> None:
    """Run sam without the project's own configuration file.

    :raises CannotStart: when sam fails; its output is in the log
    """
    quiet = {
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "__SAM_CLI_APP_DIR": str(BUILD / "sam"),
    }
    settings = _empty_settings()
    pairs = [f"{name}={value}" for name, value in parameters.items()]
    start = log.tell()
    result = subprocess.run(
        [*command, "--config-file", str(settings), "--parameter-overrides", *pairs],
        env=plain_environment(**quiet, **environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        check=False,
    )
    if result.returncode != 0:
        reason = _find_reason(Path(log.name), start)
        raise CannotStart(f"{what} failed: {reason} (all of it in {log.name})")


def _empty_settings() -> Path:
    # samconfig.toml asks for guided answers, buckets and profiles of real accounts.
    path = BUILD / "local.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("version = 0.1\n")
    return path


def _find_reason(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    telling = [line for line in lines if "Error" in line or "FAILED" in line or "failed" in line]
    return (telling or lines or ["no output"])[-1].strip()[:300]


def _digest_sources(parameters: Mapping[str, str]) -> str:
    digest = hashlib.sha256(repr(sorted(parameters.items())).encode())
    for path in _list_sources():
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _list_sources() -> Iterator[Path]:
    for name in _SOURCES:
        top = ROOT / name
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (p for p in found if p.is_file() and "__pycache__" not in p.parts)
