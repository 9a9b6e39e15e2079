"""Searching by parts of names: what is found does not depend on how many there are, nor on how it is looked for."""

from typing import Any

import pytest
from django.core.management import call_command

from projections import engine, queries
from projections.name_search import LONGEST, keys_from, name_keys, search_form
from tests.support.values import open_account, query

pytestmark = pytest.mark.usefixtures("bank")

HOLDERS = {
    1: "Ada Lovelace",
    2: "Grace Hopper",
    3: "Ada Hopper-Ågren",
    4: "Ann Ann",
    5: "Zoë Ångström",
    6: "ΑΘΗΝΑ Παπαδοπούλου",
    7: "x" * 40 + "yz",
    8: "山田 太郎",
    9: "100% _\\",
}
SEARCHES = [
    "a", "ada", "hopper", "ada hopper", "hopper ada", "opp", "opp da", "ann", "agren", "angstrom", "αθ", "πουλου",
    "x" * 16, "x" * 17, "x" * 40, "x" * 41, "xyz", "yz", "田", "太郎 山", "%", "_", "\\", "0%", "zz", "ada zz",
    "1", "9", "a d h o p", "\uffff", "\U0010ffff",
]  # fmt: skip


@pytest.fixture
def holders() -> dict[int, str]:
    """Accounts, whose holders' names in the form in which they are searched for."""
    for account_id, holder in HOLDERS.items():
        open_account(account_id, holder)
    return {account_id: search_form(holder) for account_id, holder in HOLDERS.items()}


def wanted(holders: dict[int, str], text: str) -> list[int]:
    by_name = [number for number, name in holders.items() if all(word in name for word in search_form(text).split())]
    return sorted({*by_name, *([int(text)] if text in "123456789" else [])})


def found(text: str) -> list[int]:
    return [account.account_id for account in queries.find_accounts(text).rows]


@pytest.mark.parametrize("few", [0, 1, 2, 1000], ids=lambda few: f"few is {few}")
def test_the_same_accounts_are_found_whether_few_or_many_have_the_word(
    holders: dict[int, str], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "FEW", few)
    for text in SEARCHES:
        assert found(text) == wanted(holders, text), text


def test_an_account_is_found_while_its_name_is_still_to_be_taken_apart(
    settings: Any,
) -> None:
    settings.PROJECTION_MODE = "worker"
    open_account(1, "Ada")
    engine.catch_up()
    open_account(2, "Ada")
    engine.catch_up(["accounts"])
    assert found("ada") == [1, 2]
    engine.catch_up()
    assert found("ada") == [1, 2]


def test_an_upgrade_takes_the_names_apart_of_the_accounts_that_are_there(holders: dict[int, str]) -> None:
    def parts() -> list[tuple[bytes, int]]:
        rows = query("SELECT key, account_id FROM projections_namepart ORDER BY key", using=side)
        return [(bytes(key), account_id) for key, account_id in rows]

    def checkpoints() -> list[tuple[object, ...]]:
        return query("SELECT name, transaction_id, position FROM projections_checkpoint ORDER BY name", using=side)

    side = "projections"
    before = parts(), checkpoints()
    assert before[0]
    call_command("migrate", "projections", "0003", database=side, verbosity=0)
    call_command("migrate", database=side, verbosity=0)
    assert (parts(), checkpoints()) == before


def test_the_keys_of_a_part_stand_together_and_say_whose_they_are() -> None:
    keys = sorted(key for number, holder in HOLDERS.items() for key in name_keys(holder, number))
    begin, end = keys_from("hopper")
    assert [int.from_bytes(key[-8:]) for key in keys if begin <= key < end] == [2, 3]
    assert max(len(key[:-9].decode()) for key in keys) == LONGEST
