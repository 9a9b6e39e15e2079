"""The keys of a first start: complete, private, shared by all processes, and synced before their first use."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from bank.operations.environment import entries
from bank.operations.key_files import key_from_file, read_key, read_keys, spaced_keys
from tests.support.programs import PATIENCE, ROOT, manage, run

KEY, OLD = "a key of the bank", "an older key of it"
BLANK, SHORT, BROKEN = "is blank", "a key has at least 16", "within a key"


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
    """After a power failure, another key would be made, and would verify no existing PIN."""
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


def test_the_files_of_a_killed_start_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "pin_key"
    path.with_name(f".pin_key.{os.getpid()}").write_text("half of a k")
    key = key_from_file(path)
    assert len(key) == 64
    assert path.read_text() == f"{key}\n"


def test_processes_that_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pin_key"
    gate = tmp_path / "gate"
    script = (
        "import sys, pathlib; from bank.operations.key_files import key_from_file; print('ready', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): pass\n"
        "print(key_from_file(pathlib.Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", script, str(gate), str(path)]
    starts = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for start in starts:
        assert start.stdout
        assert start.stdout.readline() == "ready\n"
    gate.touch()
    output = {start.communicate(timeout=PATIENCE)[0] for start in starts}
    assert output == {path.read_text()}


# Environment or file


@pytest.fixture(params=["variable", "file"])
def read(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Read keys from a text that is in the variable or in the file."""

    def read(text: str, **options: bool) -> list[str]:
        if request.param == "variable":
            monkeypatch.setenv("PIN_KEYS", text)
        else:
            monkeypatch.delenv("PIN_KEYS", raising=False)
            (tmp_path / "pin_key").write_text(text)
        return read_keys("PIN_KEYS", tmp_path / "pin_key", **options)

    return read


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (KEY, [KEY]),
        (f"{KEY},{OLD}", [KEY, OLD]),
        (f" {KEY} ,\t{OLD}\r\n", [KEY, OLD]),
        (f"{KEY},\n{OLD}\n", [KEY, OLD]),
        (f"{KEY},{OLD}, {KEY}", [KEY, OLD]),
        ("$ecret keys begin like this", ["$ecret keys begin like this"]),
        ("é" * 8, ["é" * 8]),
    ],
)
def test_spaces_and_line_ends_around_keys_do_not_count(
    read: Callable[..., list[str]], text: str, keys: list[str]
) -> None:
    assert read(text) == keys


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" ", BLANK),
        ("\n", BLANK),
        (",", "empty key in place 1 of 2"),
        (f"{KEY},", "empty key in place 2 of 2"),
        (f"{KEY}, ,{OLD}", "empty key in place 2 of 3"),
        ("15 bytes, barely"[:15], SHORT),
        (f"{KEY},short", SHORT),
        (f"{' ' * 20}short", SHORT),
        (f"{KEY}\n{OLD}", BROKEN),
    ],
)
def test_an_invalid_key_is_refused_and_not_shown(read: Callable[..., list[str]], text: str, why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why) as error:
        read(text)
    assert not any(key.strip() in str(error.value) for key in text.split(",") if len(key.strip()) > 5)


def test_keys_with_spaces_are_known_as_they_were_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN_KEYS", f"{KEY} ,{OLD}, {KEY}")
    assert spaced_keys("PIN_KEYS") == [f"{KEY} ", f" {KEY}"]
    monkeypatch.delenv("PIN_KEYS")
    assert spaced_keys("PIN_KEYS") == []


def test_an_old_key_may_be_short_if_the_setting_allows_it(read: Callable[..., list[str]]) -> None:
    assert read(f"{KEY}, short", short_old_keys=True) == [KEY, "short"]
    with pytest.raises(ImproperlyConfigured, match=SHORT):
        read(f"short, {KEY}", short_old_keys=True)


def test_an_empty_variable_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN_KEYS", "")
    [made] = read_keys("PIN_KEYS", tmp_path / "pin_key")
    assert made == (tmp_path / "pin_key").read_text().strip()


def test_an_empty_key_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIN_KEYS", raising=False)
    (tmp_path / "pin_key").touch()
    with pytest.raises(ImproperlyConfigured, match=f"pin_key {BLANK}"):
        read_keys("PIN_KEYS", tmp_path / "pin_key")
    assert (tmp_path / "pin_key").read_text() == "", "no key takes the place of the one that was there"


def test_a_key_of_one_may_have_commas_but_has_the_same_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", f" {KEY}, {OLD}\n")
    assert read_key("SECRET_KEY", tmp_path / "secret_key") == f"{KEY}, {OLD}"
    for text, why in ((" ", BLANK), ("short", SHORT)):
        monkeypatch.setenv("SECRET_KEY", text)
        with pytest.raises(ImproperlyConfigured, match=why):
            read_key("SECRET_KEY", tmp_path / "secret_key")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.symlink_to("nowhere"), "cannot be read: No such file"),
        (lambda path: path.write_bytes(b"\xff" * 32), "is not UTF-8"),
    ],
    ids=["folder", "link to nothing", "not text"],
)
def test_a_key_file_that_cannot_be_read_is_an_error_of_the_settings(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / "seal_key")
    done = run(tmp_path, "check")
    assert done.returncode == 1
    assert "The settings are not right: The key file" in done.stdout
    assert why in done.stdout
    assert "Traceback" not in done.stdout


def test_a_key_file_of_somebody_else_is_an_error_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> str:  # the superuser may read every file
        raise PermissionError(13, "Permission denied")

    (tmp_path / "pin_key").write_text(KEY)
    monkeypatch.delenv("PIN_KEYS", raising=False)
    monkeypatch.setattr("bank.operations.key_files.key_from_file", refuse)
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read: Permission denied\. .* set PIN_KEYS"):
        read_keys("PIN_KEYS", tmp_path / "pin_key")


@pytest.mark.parametrize("variable", ["SECRET_KEY", "PIN_KEYS", "SEAL_KEYS"])
def test_a_short_key_is_refused_at_every_command(tmp_path: Path, variable: str) -> None:
    done = run(tmp_path, "check", **{variable: "short"})
    assert done.returncode == 1
    assert f"The settings are not right: {variable} has " in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(tmp_path.glob("*.sqlite3"))


def test_a_key_that_is_not_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN_KEYS", os.fsdecode(b"\xff" * 32))
    with pytest.raises(ImproperlyConfigured, match="not UTF-8"):
        read_keys("PIN_KEYS", tmp_path / "pin_key")


def test_every_list_of_the_environment_is_read_without_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_LIST", " a, b ,,\nc\n")
    assert entries("SOME_LIST") == ["a", "b", "c"]
    output = manage(
        tmp_path, "shell", "--no-imports", "-c",
        "from django.conf import settings as s\n"
        "print(s.ALLOWED_HOSTS, s.BANK_TOTP_ROLES, s.PROJECTIONS_REPLICAS, s.DATABASES['replica_2']['NAME'])\n"
        "print(s.DATABASES['projections']['SYNCHRONOUS'])",  # replicas get only what is synced
        ALLOWED_HOSTS="one.example, two.example,", BANK_TOTP_ROLES="Tellers, superuser,",
        PROJECTIONS_DATABASE_URL="postgres://a@h/zero",
        PROJECTIONS_REPLICA_URLS="postgres://a@h/one, postgres://a@h/two ,",
    )  # fmt: skip
    assert output.strip().splitlines()[-2:] == [
        "['one.example', 'two.example'] ['Tellers', 'superuser'] ['replica_1', 'replica_2'] two",
        "FULL",
    ]
