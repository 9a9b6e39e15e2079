"""The bank's files are private to their owner, whatever the umask and the command."""

import os
import stat
from pathlib import Path

import pytest

from bank.operations.data_files import close
from tests.support.programs import PASSWORD, Web, manage, migrate, run

KEYS = {name: f"{name} of this test" for name in ("SECRET_KEY", "PIN_KEYS", "SEAL_KEYS")}
OPEN_ACCOUNT = """
from bank.domain.commands import CreateBankAccount
from bank.application.dispatch import handle
handle(CreateBankAccount(1, "Josh", 1234))
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_in(folder: Path) -> list[str]:
    """Return the names of files and folders that other users can open; static files hold no secret."""
    found = [folder, *folder.iterdir()]
    return [path.name for path in found if path.name != "static" and not path.is_symlink() and mode(path) & 0o077]


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    "arguments",
    [
        "migrate",
        "migrate --database projections",
        "check",
        "replay_projections",
        "verify_events",
        "backup copy",
        "copy_bank sqlite:///nowhere/bank.sqlite3",
        "collectstatic --no-input",
    ],
)
def test_every_command_makes_the_folder_and_the_databases_closed(tmp_path: Path, arguments: str) -> None:
    data = tmp_path / "above" / "data"
    run(data, *arguments.split(), **KEYS)  # a key file would create the folder too
    assert open_in(data) == []
    assert mode(data) == 0o700
    assert mode(data.parent) == 0o755, "only the folder is the bank's"


def test_the_files_beside_a_database_are_closed_too(tmp_path: Path) -> None:
    look = "import os\nfor each in os.scandir(os.environ['BANK_DATA_DIR']): print(each.name, oct(each.stat().st_mode))"
    printed = migrate(tmp_path / "data", OPEN_ACCOUNT + look).splitlines()
    names = [line.split()[0] for line in printed]
    assert {"bank.sqlite3", "bank.sqlite3-wal", "bank.sqlite3-shm", "projections.sqlite3-wal", "pin_key"} <= set(names)
    assert {line.split()[1] for line in printed} == {"0o100600"}


def test_a_database_outside_of_the_data_folder_is_closed_also_behind_a_link(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(elsewhere / "bank.db")
    migrate(data, DATABASE_URL=f"sqlite:///{tmp_path}/link", PROJECTIONS_DATABASE_URL=f"sqlite:///{elsewhere}/read.db")
    assert mode(elsewhere / "bank.db") == mode(elsewhere / "read.db") == 0o600
    assert mode(elsewhere) == 0o755, "the folder is not the bank's"


def opened(data: Path) -> None:
    """Open a bank's files to others, as an earlier version made them under the usual umask."""
    for path in data.iterdir():
        path.chmod(0o644)
    data.chmod(0o755)


def test_check_lists_open_files_and_start_closes_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    migrate(data)
    opened(data)
    (data / "bank.sqlite3-wal").touch(0o644)
    printed = manage(data, "check")
    for name in ("data (its mode is 0755)", "bank.sqlite3 (", "projections.sqlite3 (", "sqlite3-wal (", "pin_key ("):
        assert name in printed
    assert f"chmod 700 {data}" in printed
    assert "bank.W001" in printed
    with Web(data, BANK_TELLER_PASSWORD=PASSWORD) as web:
        assert open_in(data) == []
        assert "bank.W001" not in web.output
    assert "no issues" in manage(data, "check")


def test_start_closes_databases_elsewhere(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    elsewhere.mkdir()
    urls = {"DATABASE_URL": f"sqlite:///{elsewhere}/a.db", "PROJECTIONS_DATABASE_URL": f"sqlite:///{elsewhere}/b.db"}
    migrate(data, **urls)
    opened(elsewhere)
    with Web(data, **urls):
        assert open_in(elsewhere) == [elsewhere.name]


def test_a_folder_that_holds_other_files_is_left_open_and_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    migrate(data)
    (data / "minutes.txt").touch()
    opened(data)
    with Web(data) as web:
        assert sorted(open_in(data)) == ["data", "minutes.txt"]
        assert "because it holds other files too" in web.output


def test_a_file_of_somebody_else_does_not_stop_the_start(
    tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    (tmp_path / "pin_key").touch(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)
    close()
    assert mode(tmp_path / "pin_key") == 0o644
