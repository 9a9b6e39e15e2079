"""Moving a bank to another kind of database with `manage.py copy_bank`."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from bank.access import second_factor
from bank.access.models import UsedCode
from bank.application import account_cache, process_managers
from bank.application.dispatch import handle
from bank.domain.commands import DepositMoneyIntoBankAccount
from bank.domain.errors import NoSuchAccount
from bank.operations.audit import audit
from eventstore import subscriptions
from eventstore.store import read_stream
from eventstore.subscriptions import Standing
from eventstore.verification import signed_heads
from tests.support import databases
from tests.support.databases import Urls, stranger
from tests.support.helpers import make_user
from tests.support.programs import PASSWORD, Web, manage, run
from tests.support.record import export, verify
from tests.support.relay import RELAY
from tests.support.teller import logged_in
from tests.support.values import count, deposit, do_business, open_account
from tests.system.servers.walk import USERS, inspect, look_around, rebuild, walk


@pytest.fixture
def other_urls(vendor: str, tmp_path: Path) -> Iterator[Urls]:
    """The URLs of two databases of the other kind, without migrations."""
    others = [each for each in databases.VENDORS if each != vendor]
    if not others:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL server")
    (tmp_path / "other").mkdir()
    with databases.empty_databases(others[0], tmp_path / "other") as urls:
        yield urls


def chain(urls: Urls) -> list[tuple[int, bytes]]:
    """Return the position and hash of every event."""
    with stranger(urls["DATABASE_URL"]) as database:
        found = database.execute("SELECT position, hash FROM eventstore_event ORDER BY position").fetchall()
    return [(position, bytes(digest)) for position, digest in found]


def test_a_bank_moves_with_all_its_positions_and_hashes(urls: Urls, other_urls: Urls, tmp_path: Path) -> None:
    data, old, new = tmp_path / "data", urls, other_urls
    with Web(data, **old, **USERS) as web:
        walk(web, 1)
        web.stop()
    manage(data, "migrate", **new)
    assert "Copied 13 events" in manage(data, "copy_bank", old["DATABASE_URL"], **new)
    before = chain(new)
    assert before == chain(old)
    with Web(data, **new) as web:
        look_around(logged_in(web, "teller", PASSWORD), 1)
        walk(web, 2)
        inspect(logged_in(web, "admin", PASSWORD))
        rebuild(web)
    after = chain(new)
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert "All of it fits together" in manage(data, "verify_events", **new)


@pytest.mark.usefixtures("bank")
def test_a_bank_that_has_events_is_not_copied_over(templates: dict[str, Urls], urls: Urls, tmp_path: Path) -> None:
    open_account(1)
    before = chain(urls)
    (tmp_path / "other").mkdir()
    other = databases.MAKERS["sqlite"].copy(templates["sqlite"], tmp_path / "other")
    done = run(tmp_path, "copy_bank", other["DATABASE_URL"], **urls)
    assert done.returncode == 1
    assert "This bank is not empty. Nothing was copied." in done.stdout
    assert "Traceback" not in done.stdout
    assert chain(urls) == before != []


def reject(number: int) -> None:
    """Record rejected commands whose ids do not rise with their order."""
    for each in range(number):
        with pytest.raises(NoSuchAccount):
            handle(DepositMoneyIntoBankAccount(77 + each, 5), command_id=UUID(int=(100 - each) * 2**64 + each))


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_after_a_copy_to_the_same_kind_of_database_heads_from_before_fit(
    templates: dict[str, Urls], bank: Path, vendor: str, urls: Urls, tmp_path: Path, target: str
) -> None:
    if target not in databases.VENDORS:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL server")
    do_business()
    reject(5)
    export(tmp_path / "early")
    handle(DepositMoneyIntoBankAccount(1, 5))
    reject_once_more()
    export(tmp_path / "late")
    (tmp_path / "target").mkdir()
    with databases.copied_databases(target, templates[target], tmp_path / "target") as new:
        call_command("copy_bank", urls["DATABASE_URL"], stdout=StringIO())
        account_cache._loaded.clear()
        handle(DepositMoneyIntoBankAccount(2, 5), command_id=UUID(int=1))
        for name in ("early", "late"):
            output = verify("--no-read-side", "--head", str(tmp_path / name))
            if vendor == target:
                assert "All of it fits together, and extends the head" in output
            else:
                assert "does not extend the head" in output
                assert "A head from before the bank moved between SQLite and PostgreSQL does not fit" in output
        assert "All of it fits together" in verify("--no-read-side")
        export(tmp_path / "new")
        reject_once_more(2)
        assert "extends the head" in verify("--no-read-side", "--head", str(tmp_path / "new"))
        assert new


@pytest.mark.only_on("sqlite", reason="the other has no row ids")
@pytest.mark.parametrize("way", ["VACUUM", "VACUUM INTO", "dump"])
def test_heads_fit_after_sqlite_has_written_the_database_anew(bank: Path, urls: Urls, tmp_path: Path, way: str) -> None:
    do_business()
    reject(5)
    export(tmp_path / "head")
    reject_once_more()
    (tmp_path / "anew").mkdir()
    anew = databases.MAKERS["sqlite"].empty(tmp_path / "anew")
    file = anew["DATABASE_URL"].removeprefix("sqlite:///")
    with stranger(urls["DATABASE_URL"]) as old, closing(sqlite3.connect(file)) as new:
        if way == "dump":
            new.executescript("".join(old.iterdump()))
        elif way == "VACUUM INTO":
            old.execute("VACUUM INTO ?", [file])
        else:
            old.execute("VACUUM")
            old.backup(new)
    with databases.in_use(anew | {"PROJECTIONS_DATABASE_URL": urls["PROJECTIONS_DATABASE_URL"]}):
        assert "extends the head" in verify("--no-read-side", "--head", str(tmp_path / "head"))


@pytest.mark.only_on("postgresql", reason="the other has no transaction ids")
@pytest.mark.usefixtures("bank")
def test_heads_fit_where_a_restored_log_goes_on_with_lower_transaction_ids(urls: Urls, tmp_path: Path) -> None:
    """The log is changed to look like the dump of a server with higher transaction ids."""
    do_business()
    reject(3)
    with stranger(urls["DATABASE_URL"]) as database:
        database.execute("SET session_replication_role = replica")
        database.execute(
            "UPDATE eventstore_commandrecord SET transaction_id = transaction_id + 1000 WHERE outcome = 'rejected'"
        )
    databases.forget_connections()
    assert count("eventstore_epoch") == 1
    head = audit().head
    assert head.rejected == 7
    (tmp_path / "head").write_text(signed_heads.sign(head._replace(rejected_up_to=2**60)))
    reject_once_more()
    assert "extends the head" in verify("--head", str(tmp_path / "head"))


def reject_once_more(number: int = 1) -> None:
    with pytest.raises(NoSuchAccount):
        handle(DepositMoneyIntoBankAccount(99, number), command_id=UUID(int=number + 1))


def test_second_factors_and_permissions_move_into_a_bank_that_has_users_already(
    templates: dict[str, Urls], bank: Path, vendor: str, urls: Urls, tmp_path: Path
) -> None:
    susan = make_user("susan", "Supervisors")
    susan.user_permissions.add(Permission.objects.get(codename="view_event"))
    TOTPDevice.objects.create(user=susan, name="Phone")
    UsedCode.objects.create(user=susan, step=5)
    (tmp_path / "target").mkdir()
    with databases.copied_databases(vendor, templates[vendor], tmp_path / "target"):
        make_user("admin", is_superuser=True)  # with the same id as after a first start
        call_command("copy_bank", urls["DATABASE_URL"], stdout=StringIO())
        moved = User.objects.get()
        assert second_factor.device_of(moved) is not None, "the password alone opens nothing"
        assert UsedCode.objects.get().step == 5
        assert moved.has_perms(["bank.supervise", "eventstore.view_event"])


@pytest.mark.usefixtures("bank")
def test_a_pending_step_is_carried_out_after_the_move(
    vendor: str, urls: Urls, other_urls: Urls, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROJECTION_MODE = "worker"
    monkeypatch.setattr(process_managers, "PROCESS_MANAGERS", {RELAY.name: RELAY})
    for account_id in (1, 2, 3):
        open_account(account_id)
    for amount in (5, 7):
        deposit(1, amount)
    if vendor == "postgresql":  # where the order of the log need not be that of positions
        with stranger(urls["DATABASE_URL"]) as database:
            database.execute("SET session_replication_role = replica")
            database.execute("UPDATE eventstore_event SET transaction_id = 100 - position")
    [relay] = process_managers.subscribers()
    one = iter([True, False])
    assert subscriptions.follow(relay, go_on=lambda: next(one))[0] is Standing.UNFINISHED
    assert count("eventstore_event") == 7
    manage(tmp_path / "data", "migrate", **other_urls)
    manage(tmp_path / "data", "copy_bank", urls["DATABASE_URL"], **other_urls)
    with databases.in_use(other_urls):
        assert subscriptions.follow(relay)[0] is Standing.UP_TO_DATE
        assert count("eventstore_event") == 9
        assert {event.data["amount"] for event in list(read_stream("bank_account-3"))[1:]} == {5, 7}
