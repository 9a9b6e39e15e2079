"""Search for accounts by number and by parts of names, in any spelling."""

from typing import Any

import pytest
from django.core.management import call_command

from projections import account_search, engine, queries
from projections.name_search import LONGEST, keys_from, name_keys, search_form, searched_number, searched_words
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
    """Accounts with holders' names in their search form."""
    for account_id, holder in HOLDERS.items():
        open_account(account_id, holder)
    return {account_id: search_form(holder) for account_id, holder in HOLDERS.items()}


def wanted(holders: dict[int, str], text: str) -> list[int]:
    by_name = [number for number, name in holders.items() if all(word in name for word in searched_words(text))]
    return sorted({*by_name, *([int(text)] if text in "123456789" else [])})


def found(text: str, **paging: Any) -> list[int]:
    return [account.account_id for account in queries.find_accounts(text, **paging).rows]


@pytest.mark.parametrize("few", [0, 1, 2, 1000], ids=lambda few: f"few is {few}")
def test_the_same_accounts_are_found_whether_few_or_many_have_the_word(
    holders: dict[int, str], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_search, "FEW", few)
    for text in SEARCHES:
        assert found(text) == wanted(holders, text), text


@pytest.mark.parametrize(
    ("holder", "searches"),
    [
        ("Łukasz Żółć", ["lukasz", "ŁUKASZ", "zolc", "żółć"]),
        ("Søren Kierkegård", ["soren", "SØREN", "kierkegard"]),
        ("Ayşe Yıldız", ["yildiz", "YILDIZ", "yıldız", "ayse"]),
        ("İnci Işık", ["inci", "isik", "ışık"]),
        ("Guðrún Guðmundsdóttir", ["gudmundsdottir", "GUÐRÚN", "gudrun"]),
        ("Þór Æsir", ["thor", "þór", "aesir", "æsir"]),
        ("Đặng Ħal Œuvrard", ["dang", "hal", "oeuvrard", "Đặng"]),
        ("Jan Groß", ["gross", "GROSS", "groß", "GROẞ"]),
        ("Ґалаґан Ёлкин", ["галаган", "елкин", "Ґалаґан"]),
        ("Conor O\u2019Brien", ["o'brien", "O\u2019BRIEN", "obrien", "o`brien", "o\u02bcbrien", "brien", "o brien"]),
        ("Conor O'Brien", ["o'brien", "o\u2019brien", "o\uff07brien", "o\u00b4brien"]),
        ("Conor OBrien", ["o'brien", "obrien"]),
        (
            "Jean\u2010Luc Picard",
            ["jean-luc", "jean\u2010luc", "jean\u2011luc", "jean\u2013luc", "jeanluc", "jean luc", "luc"],
        ),
        ("Jean-Luc Picard", ["jean-luc", "jean\u2010luc", "jean\uff0dluc", "picard jean-luc"]),
        ("Jean Luc Picard", ["jean-luc", "jean\u2010luc"]),
        ("Jeanluc Picard", ["jean-luc", "jeanluc"]),
        ("\U0001d400da \uff21bc", ["ada", "abc", "\U0001d41ada"]),
        ("Gal\u00b7la \u0645\u062d\u0645\u0640\u062f", ["galla", "gal-la", "\u0645\u062d\u0645\u062f"]),
        ("क्\u200dष", ["क्ष", "क्\u200dष"]),
    ],
)
def test_a_name_is_found_as_people_type_it(holder: str, searches: list[str]) -> None:
    open_account(1, holder)
    open_account(2, "Mary Jones")
    assert [found(text) for text in searches] == [[1]] * len(searches)


NUMBERS = [
    "7001", "#7001", "# 7001", "7 001", "7\u00a0001", "7,001", "7.001", "7'001", "7\u2019001", "No. 7001",
    "\uff17\uff10\uff10\uff11", "\u0667\u0660\u0660\u0661", "№7001", "nº 7001", "Account 7001", "\u200e7001",
    " 007001 ", "Hopper 7001", "7001 grace",
]  # fmt: skip


def test_an_account_is_found_by_its_number_as_people_type_it() -> None:
    open_account(7, "Ann 11")
    open_account(1, "Ann 001")
    open_account(7001, "Grace Hopper")
    assert {text: found(text) for text in NUMBERS} == {text: [7001] for text in NUMBERS}


@pytest.mark.parametrize(
    "text", ["", "-1", "1.0", "7 01", "7,,001", "0", "9223372036854775808", "9" * 5000, "1e3", "7 001,000", "seven"]
)
def test_a_text_that_is_no_account_number_is_none(text: str) -> None:
    assert searched_number(text) is None


def test_a_number_among_the_words_may_be_the_accounts() -> None:
    open_account(11, "Grace Hopper")
    open_account(12, "Hopper 11")
    open_account(13, "Ada Lovelace")
    assert found("hopper 11") == [11, 12]
    assert found("11") == [11, 12]
    assert found("lovelace 11") == []


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


def test_an_upgrade_indexes_the_names_of_existing_accounts(holders: dict[int, str]) -> None:
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


def test_the_keys_of_a_part_are_adjacent_and_name_their_account() -> None:
    keys = sorted(key for number, holder in HOLDERS.items() for key in name_keys(holder, number))
    begin, end = keys_from("hopper")
    assert [int.from_bytes(key[-8:]) for key in keys if begin <= key < end] == [2, 3]
    assert max(len(key[:-9].decode()) for key in keys) == LONGEST


FOUND = {
    "": [1, 2, 3, 12, 20],
    "   ": [1, 2, 3, 12, 20],
    "zoe": [2],
    "ZOË": [2],
    "Zoe\u0308": [2],
    "osh": [1, 12],
    " josh ": [1, 12],
    "strasse": [3],
    "STRASSE": [3],
    "straße": [3],
    "12": [12],
    "2": [2, 20],
    "002": [2],
    "the 2nd": [20],
    "100%": [20],
    "%": [20],
    "_": [],
    "山田": [20],
    "' OR 1=1 --": [],
    "99999999999999999999999999": [],
    "9223372036854775808": [],
    "-1": [],
    "1.0": [],
    "\0": [1, 2, 3, 12, 20],
    "josh smith": [],
}
"""The accounts that each text finds."""


def test_accounts_are_found_by_number_or_part_of_the_name() -> None:
    for account_id, holder in (
        (1, "Josh"),
        (2, "Zoë"),
        (3, "Jan Straße"),
        (12, "joshua"),
        (20, "山田 the 2nd, 100%"),
    ):
        open_account(account_id, holder)
    assert {text: found(text) for text in FOUND} == FOUND


def test_found_accounts_come_in_pages() -> None:
    for account_id in range(1, 8):
        open_account(account_id, "Josh")
    pages, after = [], 0
    while True:
        page = queries.find_accounts("josh", after=after, limit=3)
        pages.append([account.account_id for account in page.rows])
        if page.next is None:
            break
        after = page.next
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]
    assert queries.find_accounts("josh", limit=7).next is None, "a full last page has no next"
    assert found("josh", after=-5, limit=1) == [1]
    assert found("josh", after=10**30) == []
