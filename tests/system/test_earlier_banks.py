"""Banks that earlier versions made are opened, migrated, verified, rebuilt, backed up, copied and used."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.programs import MIGRATE, PASSWORD, Web, manage
from tests.support.teller import logged_in

VERSIONS = Path(__file__).parents[1] / "versions"
BANKS = sorted(path.name.removeprefix("bank-").removesuffix(".tar.xz") for path in VERSIONS.glob("bank-*.tar.xz"))
UNSEALED = {"first", "sealed", "unsealed_snapshots"}
"""The banks whose snapshot has no seal."""
EVENTS = {"first": 37}
"""The number of events, where it is not the 49 of a version with the PIN lock."""

VERIFY = """
from pathlib import Path
from django.conf import settings
from django.core.management import call_command
folder = Path(settings.DATA_DIR)
def verify(*arguments):
    call_command("verify_events", *arguments)
    call_command("replay_projections", "--check")
"""
OPEN = f"""
{VERIFY}
call_command("verify_events")
with (folder / "head.json").open("w") as head:
    call_command("export_head", stdout=head)
call_command("backup", folder / "backup", "--with-keys")
call_command("replay_projections")
verify("--head", folder / "head.json")
"""
USE = f"""
{VERIFY}
from bank.application.dispatch import handle
from bank.domain.commands import (
    CloseBankAccount, CreateBankAccount, DepositMoneyIntoBankAccount, ReverseDeposit, TransferMoneyBetweenBankAccounts,
    WithdrawMoneyFromBankAccount,
)
from bank.domain.events import MoneyWithdrawnFromBankAccount
from eventstore.models import Event
from projections.queries import check_balance
for account_id, balance in ((1, 20_155), (2, 10**12), (3, 999)):
    assert check_balance(account_id) == balance, check_balance(account_id)
assert isinstance(handle(WithdrawMoneyFromBankAccount(1, 55, 1234)).events[0], MoneyWithdrawnFromBankAccount)
for _ in range(25):
    handle(DepositMoneyIntoBankAccount(1, 4))
assert check_balance(1) == 20_200
old = Event.objects.filter(stream="bank_account-1", type="money_deposited_into_bank_account").earliest("position")
handle(ReverseDeposit(1, old.command_id, "Typed twice"))
assert check_balance(1) == 20_200 - old.data["amount"]
handle(DepositMoneyIntoBankAccount(1, old.data["amount"]))
handle(CreateBankAccount(9, "Ada", 1234))
handle(CloseBankAccount(9, 1234))
handle(TransferMoneyBetweenBankAccounts(1, 3, 100, 1234))
handle(TransferMoneyBetweenBankAccounts(1, 9, 100, 1234))
assert (check_balance(1), check_balance(3)) == (20_100, 1_099)
verify()
"""


@pytest.fixture(params=BANKS)
def name(request: pytest.FixtureRequest) -> str:
    param: str = request.param
    return param


@pytest.fixture
def data(name: str, tmp_path: Path) -> Path:
    """The data folder of an earlier version's bank."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with tarfile.open(VERSIONS / f"bank-{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Cluster]:
    postgres.require()
    with postgres.Cluster(settings=postgres.THROW_AWAY) as cluster:
        yield cluster


def test_a_bank_of_an_earlier_version_goes_on(name: str, data: Path) -> None:
    output = script(data, MIGRATE + OPEN)
    assert f"Checked {EVENTS.get(name, 49)} events in 3 streams" in output
    assert ("Snapshots not believed: 1" in output) == (name in UNSEALED), "said, and no finding"
    assert "Snapshots not believed" not in script(data, USE), "a new snapshot took its place"
    assert_served(data)
    script(data, VERIFY + "verify('--head', folder / 'head.json')")
    rebuild = "call_command('replay_projections')\nverify('--head', folder / 'head.json')"
    script(data / "backup", f"{MIGRATE}{VERIFY}{rebuild}", **keys(data / "backup"))


def test_a_bank_of_an_earlier_version_moves_to_postgresql(name: str, data: Path, server: postgres.Cluster) -> None:
    manage(data, "migrate", "-v0")
    urls = {
        "DATABASE_URL": server.create_database(name),
        "PROJECTIONS_DATABASE_URL": server.create_database(f"{name}_projections"),
    }
    copy = f"call_command('copy_bank', 'sqlite:///{data}/bank.sqlite3')\ncall_command('replay_projections')\n"
    output = script(data, f"{MIGRATE}{copy}{USE}", **urls)
    assert f"Copied {EVENTS.get(name, 49)} events" in output


def assert_served(data: Path) -> None:
    """Start the bank, withdraw and deposit at its pages, and look at the receipts."""
    with Web(data) as web:
        tina = logged_in(web, "tina", PASSWORD)
        assert "New balance 200.00" in tina.withdraw(1, "1.00").words
        assert "New balance 201.00" in tina.deposit(1, "1.00").words
        assert "Łukasz Ørsted" in tina.get("/accounts/").text
        assert web.request("GET", "/readyz")[0] == 200
        assert web.stop() == 0


def script(data: Path, code: str, **variables: str) -> str:
    """Execute code in one process of the bank, which must succeed."""
    return manage(data, "shell", "--no-imports", "-c", code, **variables)


def keys(backup: Path) -> dict[str, str]:
    """Return the variables with the keys of a backup."""
    return dict(re.findall(r"(\w+)='?([^'\n]*)'?\n", (backup / "keys.env").read_text()))
