"""What is unpacked once serves every process, and only the archive that it came from."""

import os
import zipfile
from pathlib import Path

import pytest

from local.emulator_corrections.lambda_runtime import UnpackedOnce


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "unpacked"
    place.mkdir()
    monkeypatch.setattr(UnpackedOnce, "home", place, raising=False)
    return place


def pack(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"package/{name}.py", content)
    return path


def unpack(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    with UnpackedOnce(archive) as opened:
        opened.extractall(folder)
    return folder


def test_the_same_archive_is_unpacked_once_for_all(tmp_path: Path, home: Path) -> None:
    archive = pack(tmp_path / "code.zip", app="one = 1", more="two = 2")
    places = [unpack(archive, tmp_path / name) for name in ("first", "second")]
    for place in places:
        assert (place / "package" / "app.py").read_text() == "one = 1"
        assert (place / "package" / "more.py").read_text() == "two = 2"
    assert len(list(home.iterdir())) == 1
    assert not (places[0] / "package" / "app.py").stat().st_mode & 0o222


def test_another_content_is_another_folder(tmp_path: Path) -> None:
    old = unpack(pack(tmp_path / "old.zip", app="one = 1"), tmp_path / "old")
    new = unpack(pack(tmp_path / "new.zip", app="one = 2"), tmp_path / "new")
    assert (old / "package" / "app.py").read_text() == "one = 1"
    assert (new / "package" / "app.py").read_text() == "one = 2"


def test_a_name_that_leads_out_is_still_shown_to_whoever_checks(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", "")
        archive.writestr("../escaped.py", "")
    with UnpackedOnce(path) as opened:
        assert opened.namelist() == ["../escaped.py"]
    assert not os.path.lexists(tmp_path.parent / "escaped.py")
