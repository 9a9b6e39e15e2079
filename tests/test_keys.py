"""The keys that a first start makes: whole, private, the same for everybody, and on the disk before they are used."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bank.keys import key_from_file
from tests.programs import PATIENCE, ROOT


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pin_key"
    key = key_from_file(path)
    assert len(key) == 64
    assert key_from_file(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["pin_key"]


def test_a_key_and_its_name_are_on_the_disk_before_anybody_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut another key would be made, with which no PIN of the accounts opened before verifies."""
    path = tmp_path / "data" / "pin_key"
    synced: list[tuple[str, bool]] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        sync(descriptor)
        what = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((what.name if what != tmp_path else "", path.exists()))

    monkeypatch.setattr(os, "fsync", note)
    key_from_file(path)
    draft = f".pin_key.{os.getpid()}"
    assert synced == [("", False), (draft, False), ("data", True)]


def test_what_a_killed_start_left_behind_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "pin_key"
    path.with_name(f".pin_key.{os.getpid()}").write_text("half of a k")
    key = key_from_file(path)
    assert len(key) == 64
    assert path.read_text() == f"{key}\n"


def test_all_who_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pin_key"
    gate = tmp_path / "gate"
    script = (
        "import sys, pathlib; from bank.keys import key_from_file; print('ready', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): pass\n"
        "print(key_from_file(pathlib.Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", script, str(gate), str(path)]
    starts = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for start in starts:
        assert start.stdout
        assert start.stdout.readline() == "ready\n"
    gate.touch()
    said = {start.communicate(timeout=PATIENCE)[0] for start in starts}
    assert said == {path.read_text()}
