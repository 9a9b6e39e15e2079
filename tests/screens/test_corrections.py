"""Corrections on the screens: from the receipt to the reversal, and what all pages say of it afterwards."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from bank.application.dispatch import handle
from bank.domain.commands import CloseBankAccount, ReverseDeposit
from eventstore.models import CommandRecord, Event
from projections import queries
from projections.workers import replay
from tests.support.helpers import HTMX, client_of, command_id_in, send, text_of
from tests.support.values import PIN, deposit, open_account, withdraw

WHY = "Typed <b>twice</b>"


@pytest.fixture(autouse=True)
def paid(bank: Path) -> dict[str, UUID]:
    """The command ids of a deposit of 50.00 and a withdrawal of 20.00 at account 1, both by Tina."""
    open_account(1, "Josh", PIN)
    return {
        "deposit": deposit(1, 50_00, actor="tina").command_id,
        "withdrawal": withdraw(1, 20_00, actor="tina").command_id,
    }


@pytest.fixture
def sue(paid: object) -> Client:
    return client_of("sue", "Supervisors")


def reverse(client: Client, command_id: UUID, reason: str = WHY, headers: dict[str, str] | None = None) -> Any:
    return send(client, f"/receipts/{command_id}/reverse/", headers, reason=reason)


@pytest.mark.parametrize("what", ["deposit", "withdrawal"])
def test_a_supervisor_sees_what_will_be_reversed_and_reverses_it(sue: Client, paid: dict[str, UUID], what: str) -> None:
    receipt = sue.get(f"/receipts/{paid[what]}/")
    assert f'href="/receipts/{paid[what]}/reverse/"' in receipt.content.decode()
    withdraw(1, 30_00) if what == "withdrawal" else deposit(1, 100_00)
    form = text_of(sue.get(f"/receipts/{paid[what]}/reverse/"))
    for fact in ("50.00 USD" if what == "deposit" else "20.00 USD", "1, Josh", "tina", f"Reverse the {what}"):
        assert fact in form
    response = reverse(sue, paid[what])
    assert response.status_code == 303
    correction = sue.get(response["Location"])
    number = queries.receipt(paid[what]).position  # type: ignore[union-attr]
    assert f"{what.capitalize()} reversed" in text_of(correction)
    assert f"{what.capitalize()} {number} of" in text_of(correction)
    assert "Typed &lt;b&gt;twice&lt;/b&gt;" in correction.content.decode()
    assert f'href="/receipts/{paid[what]}/"' in correction.content.decode()
    assert "Correct this" not in text_of(correction)


def test_a_corrected_receipt_says_so_and_offers_no_second_correction(sue: Client, paid: dict[str, UUID]) -> None:
    deposit(1, 100_00)
    where = reverse(sue, paid["deposit"])["Location"]
    receipt = sue.get(f"/receipts/{paid['deposit']}/")
    assert "This was reversed on" in text_of(receipt)
    assert "by sue : Typed" in text_of(receipt)
    assert f'href="{where}"' in receipt.content.decode()
    assert "Correct this" not in text_of(receipt)
    assert sue.get(f"/receipts/{paid['deposit']}/reverse/")["Location"] == f"/receipts/{paid['deposit']}/"
    again = reverse(sue, paid["deposit"])
    assert again.status_code == 422
    assert "That is reversed already." in text_of(again)


def test_both_lines_are_linked_on_the_statement_on_paper_and_in_the_csv_file(
    sue: Client, paid: dict[str, UUID]
) -> None:
    deposit(1, 100_00)
    reverse(sue, paid["deposit"], reason="=Typed twice")
    first, last = queries.receipt(paid["deposit"]), queries.statement(1).rows[0]
    assert first
    html = sue.get("/accounts/1/").content.decode()
    assert (
        "Deposit reversed</span> by <bdi>sue</bdi>: =Typed twice "
        f'(<a href="/receipts/{paid["deposit"]}/">receipt {first.position}' in html
    )
    assert f'by <a href="/receipts/?reference={last.position}">{last.position}</a>' in html
    assert '<tr role="row" class="undone">' in html
    assert sue.get(f"/receipts/?reference={last.position}")["Location"] == f"/receipts/{last.command_id}/"
    paper = text_of(sue.get("/accounts/1/statement/?kind="))
    assert f"Deposit, reversed by {last.position}" in paper
    assert f"Deposit reversed ({first.position}): =Typed twice" in paper
    lines = sue.get("/accounts/1/statement.csv").getvalue().decode().splitlines()
    assert lines[0].endswith("Receipt,Reverses receipt,Reversed by receipt,Reason")
    assert lines[2].endswith(f",{first.position},,{last.position},")
    assert lines[-1].endswith(f",-50.00,80.00,,sue,{last.position},{first.position},,'=Typed twice")
    assert replay.check() == []


def test_nobody_but_a_supervisor_with_a_fresh_password_corrects(sue: Client, paid: dict[str, UUID]) -> None:
    url = f"/receipts/{paid['deposit']}/reverse/"
    for group in ("Tellers", "Auditors"):
        client = client_of(group.lower(), group)
        assert client.get(url).status_code == 403
        assert reverse(client, paid["deposit"]).status_code == 403
        assert "Correct this" not in text_of(client.get(f"/receipts/{paid['deposit']}/"))
    assert not CommandRecord.objects.filter(name="reverse_deposit").exists()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(
    ("reason", "saying"),
    [
        ("", "Say why this is reversed."),
        (" \u200b ", "A correction needs a reason."),
        ("x" * 201, "This text has at most 200 characters."),
        ("pay\u202epal", "invisible character U+202E"),
        ("a\tb", "no control characters"),
    ],
)
def test_a_reason_that_nobody_can_read_is_shown_again_with_an_error(
    sue: Client, paid: dict[str, UUID], headers: dict[str, str], reason: str, saying: str
) -> None:
    response = reverse(sue, paid["withdrawal"], reason, headers)
    assert response.status_code == 422
    assert saying in text_of(response)
    if reason.strip(" \u200b"):
        assert f'value="{reason}"' in response.content.decode()
    assert Event.objects.latest("position").type == "money_withdrawn_from_bank_account"


def test_a_correction_below_zero_is_rejected_in_words(sue: Client, paid: dict[str, UUID]) -> None:
    response = reverse(sue, paid["deposit"])
    assert response.status_code == 422
    assert "The balance is less than the deposit: a part of it has left the account since." in text_of(response)
    assert queries.check_balance(1) == 30_00


def test_a_closed_account_is_not_corrected(sue: Client, paid: dict[str, UUID]) -> None:
    withdraw(1, 30_00)
    handle(CloseBankAccount(1, PIN))
    assert "It has been closed since" in text_of(sue.get(f"/receipts/{paid['withdrawal']}/reverse/"))
    assert "Account 1 is closed." in text_of(reverse(sue, paid["withdrawal"]))


def test_only_a_deposit_or_withdrawal_has_a_form(sue: Client, paid: dict[str, UUID]) -> None:
    deposit(1, 100_00)
    others = [
        open_account(2).command_id,
        withdraw(1, 5, PIN + 1).command_id,
        withdraw(1, 500_00).command_id,
        handle(ReverseDeposit(1, paid["deposit"], "Typed twice")).command_id,
        uuid4(),
    ]
    for command_id in others:
        assert sue.get(f"/receipts/{command_id}/reverse/").status_code == 404
        assert reverse(sue, command_id).status_code == 404
        assert "Correct this" not in text_of(sue.get(f"/receipts/{command_id}/"))


def test_a_form_sent_twice_reverses_once(sue: Client, paid: dict[str, UUID]) -> None:
    url = f"/receipts/{paid['withdrawal']}/reverse/"
    form = {"command_id": command_id_in(sue.get(url)), "reason": WHY}
    assert sue.post(url, form)["Location"] == sue.post(url, form)["Location"]
    assert queries.check_balance(1) == 50_00


# Find a receipt


def test_a_receipt_is_found_by_its_reference(sue: Client, paid: dict[str, UUID]) -> None:
    refused = withdraw(1, 500_00)
    for command_id in (paid["deposit"], refused.command_id):
        entry = queries.receipt(command_id)
        assert entry
        for typed in (str(entry.position), f" {entry.position} "):
            response = sue.get("/receipts/", {"reference": typed})
            assert response["Location"] == f"/receipts/{command_id}/"
    assert "Reference on the receipt" in text_of(sue.get("/receipts/"))


@pytest.mark.parametrize(
    ("typed", "saying"),
    [
        ("", "Enter the number on the receipt."),
        ("999", "No receipt of the bank has this reference."),
        ("0", "No receipt of the bank has this reference."),
        ("9" * 30, "No receipt of the bank has this reference."),
        ("-1", "A reference is a whole number, as on the receipt."),
        ("3f0c", "A reference is a whole number, as on the receipt."),
        ("\x00", "Null characters are not allowed."),
    ],
)
def test_a_reference_without_a_receipt_says_so(sue: Client, typed: str, saying: str) -> None:
    response = sue.get("/receipts/", {"reference": typed})
    assert response.status_code == 422
    assert saying in text_of(response)
    assert sue.get("/receipts/").status_code == 200
