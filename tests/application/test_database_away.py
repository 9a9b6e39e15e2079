"""An outage of the whole PostgreSQL server while the bank runs: its answers, and its recovery."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support import postgres
from tests.support.load import carry_through, deposit, opening
from tests.support.programs import run
from tests.support.teller import Teller, logged_in
from tests.system.faults.kills import LOGIN, Bank, opened

PAGES = ["/", "/accounts/", "/accounts/1/", "/accounts/1/deposit/", "/days/", f"/receipts/{uuid4()}/"]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    postgres.require()
    with opened(tmp_path, on_postgres=True) as bank:
        yield bank


def test_every_page_reports_the_outage_and_recovers_without_a_restart(bank: Bank) -> None:
    assert bank.cluster is not None
    teller, admin, stranger = (logged_in(bank.web, name, LOGIN[1]) for name in ("teller", "admin", "admin"))
    carry_through(teller, LOGIN, opening(1))
    stranger.cookies.clear()
    style = stranger.get("/login/").text.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    task = deposit(1, 100)
    written = len(bank.web.output)

    bank.cluster.kill()
    for page in PAGES:
        answer = teller.get(page)
        assert (answer.status, "records do not answer" in answer.words) == (503, True), page
    assert admin.get("/admin/").status == 503
    assert stranger.post("/login/", username="teller", password=LOGIN[1]).status == 503
    answer = teller.post(task.path, **task.fields, command_id=task.command_id)
    assert answer.status == 503
    assert f'href="/receipts/{task.command_id}/"' in answer.text
    assert teller.get("/healthz").status == 200
    assert teller.get("/readyz").status == 503
    assert teller.get(style).status == 200
    printed = bank.web.output[written:]
    assert "Traceback" not in printed
    assert printed.count("No database for") == len(PAGES) + 3, "once for each that was turned away"

    bank.cluster.start()
    assert [teller.get(page).status for page in PAGES[:-1]] == [200] * (len(PAGES) - 1)
    assert teller.get("/readyz").status == 200
    carry_through(teller, LOGIN, task)
    assert bank.books.judge([task]).lost == 0
    assert bank.web.starts == 1
    assert run(bank.data, "replay_projections", "--check", **bank.variables).returncode == 0
    for browser in (teller, admin, stranger):
        browser.close()


def test_the_log_in_page_needs_no_database(bank: Bank) -> None:
    assert bank.cluster is not None
    bank.cluster.stop()
    assert Teller(bank.web.port).get("/login/").status == 200
