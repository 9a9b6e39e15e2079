"""A walk through the whole bank over HTTP: every task, every page, the whole inspector, a replay and its check.

A pair of databases that passes it supports everything.
"""

import re
import time

from tests.support.programs import PASSWORD, PATIENCE, Web, manage
from tests.support.teller import Answer, Teller, logged_in

USERS = {"BANK_TELLER_PASSWORD": PASSWORD, "BANK_ADMIN_PASSWORD": PASSWORD}
"""The environment variables of the first start with which `walk` can log in."""
MODELS = {
    "eventstore": ("event", "commandrecord", "snapshot", "subscription"),
    "projections": (
        "accountsummary",
        "statementline",
        "refusedwithdrawal",
        "banktotals",
        "dailytotals",
        "moneytransfer",
        "tillshift",
        "tillmovement",
        "checkpoint",
    ),
    "auth": ("user", "group"),
}

REBUILD = """
from django.core.management import call_command
for arguments in (["--check"], [], ["--check"]):
    call_command("replay_projections", *arguments)
"""
"""The commands in one process, which starts but once."""


def walk(web: Web, account_id: int = 1) -> None:
    """Do every task with a new account, which has 30.00 at the end, and open every page."""
    teller = logged_in(web, "teller", PASSWORD)
    do_tasks(teller, account_id)
    look_around(teller, account_id)
    inspect(logged_in(web, "admin", PASSWORD))


def do_tasks(teller: Teller, account_id: int) -> None:
    """Open accounts and a till, deposit, withdraw, transfer, send refused and rejected commands, and count the till."""
    assert teller.fill_in("/tills/open/", till_id=account_id, amount="100.00").status == 303
    assert "Account opened" in once_caught_up(teller, teller.open_account(account_id)).words
    assert "New balance 55.00" in once_caught_up(teller, teller.deposit(account_id, "55.00")).words
    assert "New balance 35.00" in once_caught_up(teller, teller.withdraw(account_id, "20.00")).words
    once_caught_up(teller, teller.open_account(other := account_id + 500))
    assert "New balance 30.00" in once_caught_up(teller, teller.transfer(account_id, other, "5.00")).words
    assert "The PIN was wrong" in once_caught_up(teller, teller.withdraw(account_id, "1.00", pin=4321)).words
    assert "less than the amount" in once_caught_up(teller, teller.withdraw(account_id, "30.01")).words
    again = teller.fill_in("/accounts/open/", account_id=account_id, account_holder="Josh", pin="1234")
    assert again.status == 422, again.words
    assert "exists already" in again.words, again.words
    closed = teller.fill_in(f"/tills/{account_id}/1/close/", pieces_10000="1", pieces_500="7")
    assert closed.status == 303, closed.words
    assert "closed" in teller.get(closed.location).words


def once_caught_up(teller: Teller, answer: Answer) -> Answer:
    """Return a receipt once its figures are current, which may take a projection worker a moment."""
    path = re.search(r"/receipts/[0-9a-f-]+/", teller.path)
    assert path, teller.path
    deadline = time.monotonic() + PATIENCE
    while "when the figures have caught up" in answer.words and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = teller.get(path[0])
    return answer


def look_around(teller: Teller, account_id: int) -> None:
    """Open every page of a teller."""
    for path, text in {
        "/": "My till",
        "/accounts/": "30.00",
        "/accounts/?q=Josh": "30.00",
        f"/accounts/{account_id}/": "30.00",
        f"/accounts/{account_id}/?before=3": "Account opened",
        "/days/": "Accounts opened",
        "/accounts/open/": "Open an account",
    }.items():
        page = teller.get(path)
        assert page.status == 200, (path, page.words)
        assert text in page.words, (path, page.words)


def inspect(admin: Teller) -> None:
    """Open every list of the admin, searched and filtered, and the first row of each."""
    assert admin.get("/admin/").status == 200
    for app, models in MODELS.items():
        for model in models:
            page = admin.get(f"/admin/{app}/{model}/")
            assert page.status == 200, (model, page.words)
            if link := re.search(rf'href="(/admin/{app}/{model}/[^/"]+/change/[^"]*)"', page.text):
                shown = admin.get(link[1])
                assert shown.status == 200, (link[1], shown.words)
    for query in ("q=1", "q=teller", "type=invalid_pin", "actor=teller"):
        page = admin.get(f"/admin/eventstore/event/?{query}")
        assert page.status in (200, 302), (query, page.words)


def rebuild(web: Web) -> str:
    """Check the read side, rebuild it, and check it again with this web process's settings. Return the output."""
    output = manage(web.data, "shell", "--no-imports", "-c", REBUILD, **web.variables)
    assert [output.count("No difference"), output.count("Rebuilt")] == [2, 1], output
    return output
