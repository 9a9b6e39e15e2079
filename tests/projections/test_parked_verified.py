"""Verification of a bank with events of a newer version: unknown events are no forgery."""

from io import StringIO

import pytest
from django.core.management import call_command

from bank.operations.audit import audit
from projections.workers import resume
from tests.support.newer import append, credit, freeze, newer_version
from tests.support.values import do_business, lift_protection, open_account, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")


def verified() -> tuple[int, str, str]:
    """Return the exit code and the output of `verify_events`."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_events", "--processes", "2", stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def frozen(bank: object) -> None:
    """A bank with every kind of event, and one account with an event of a newer version."""
    do_business()
    open_account(5, "Ada", balance=100)
    freeze(5)
    credit(5, 11)
    append("account_closed", {}, account_id=5)
    open_account(6, "Zoë Ångström", balance=7)
    withdraw(6, 3)


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.usefixtures("frozen")
def test_an_unknown_event_is_not_checked_and_no_finding(processes: int) -> None:
    report = audit(processes=processes)
    assert report.findings == []
    [unchecked] = report.unchecked
    assert (unchecked.stream, unchecked.version) == ("bank_account-5", 3)
    assert "this program knows no event account_frozen" in unchecked.what


@pytest.mark.usefixtures("frozen")
def test_verify_events_lists_unchecked_streams_and_exits_with_2() -> None:
    code, out, err = verified()
    assert code == 2
    assert "bank_account-5 version 3" in out
    assert "cannot be checked from here on" in out
    assert "lack a part of 1 accounts" in out
    assert "1 accounts cannot be checked to their end by this version of the program" in err
    head, errors = StringIO(), StringIO()
    call_command("export_head", stdout=head, stderr=errors)
    assert '"position"' in head.getvalue(), "the record itself fits together"
    assert "account_frozen" in errors.getvalue()


@pytest.mark.usefixtures("frozen")
def test_a_stream_resumed_by_a_newer_version_is_no_forgery() -> None:
    with newer_version("account_frozen", "account_closed"):
        resume.resume()
    assert audit(processes=1).findings == []


@pytest.mark.usefixtures("frozen")
def test_a_forgery_beside_unknown_events_is_still_found() -> None:
    query("UPDATE projections_accountsummary SET balance = 99 WHERE account_id = 5", using="projections")
    query("UPDATE projections_accountsummary SET balance = 99 WHERE account_id = 6", using="projections")
    lift_protection()
    query("UPDATE eventstore_event SET data = %s WHERE stream = 'bank_account-5' AND version = 4", '{"accountId":5}')
    findings = {each.stream for each in audit(processes=1).findings}
    assert {"bank_account-5", "the read side's accounts 5", "the read side's accounts 6"} <= findings
    assert verified()[0] == 1


def test_a_payload_that_no_version_has_written_is_a_finding() -> None:
    open_account(1)
    append("money_deposited_into_bank_account", {"accountId": 1, "amount": "5"})
    [finding] = audit(processes=1).findings
    assert "it cannot be read: money_deposited_into_bank_account" in finding.what


def test_figures_are_compared_without_the_streams_that_an_error_has_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    from projections.projectors.totals import Totals

    healthy = Totals.apply
    open_account(1, balance=100)

    def apply(self: object, cursor: object, batch: object) -> None:
        if [each for each in batch if each[1].stream == "bank_account-1"]:  # type: ignore[attr-defined]
            raise ValueError("no")
        healthy(self, cursor, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Totals, "apply", apply)
    withdraw(1, 5)
    open_account(2, "Ada", balance=3)
    code, out, _ = verified()
    assert code == 0
    assert "The figures of totals lack a part of 1 accounts" in out
