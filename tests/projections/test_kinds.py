"""Every event has its kind of entry with a label, and no column of a table is forgotten."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from bank.domain.events import ACCOUNT_EVENTS, Note
from projections.entries import latest
from projections.kinds import KIND_OF, KINDS, Kind
from projections.models import AccountSummary, RefusedWithdrawal, StatementLine
from projections.projectors.accounts import Accounts
from tests.support.values import open_account, query


def test_every_event_has_one_kind_with_words() -> None:
    assert set(KIND_OF) == {event for event in ACCOUNT_EVENTS if not issubclass(event, Note)}
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.words for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_name_of_a_kind_fits_its_column(kind: Kind) -> None:
    model, column = (RefusedWithdrawal, "reason") if kind.is_refusal else (StatementLine, "kind")
    longest: int = getattr(model._meta.get_field(column), "max_length", 0)
    assert len(kind.name) <= longest, "a longer name needs a migration of the column"


@pytest.mark.usefixtures("bank")
def test_a_page_shows_a_kind_of_a_newer_version_by_its_name(admin_client: Client) -> None:
    command_id = open_account(1).command_id
    query("UPDATE projections_statementline SET kind = 'dormant'", using="projections")
    for page in ("/bank/", "/accounts/1/", f"/receipts/{command_id}/", "/admin/projections/statementline/"):
        response = admin_client.get(page)
        assert response.status_code == 200
        assert "dormant" in response.content.decode(), page
    assert not latest(1)[0].is_refusal


@pytest.mark.usefixtures("bank")
def test_the_admin_shows_a_kind_in_words(admin_client: Client) -> None:
    open_account(1)
    assert "Account opened" in admin_client.get("/admin/projections/statementline/").content.decode()


# Columns


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns": Accounts.columns[:-1]}, "Other fills other columns than AccountSummary has: closed_at"),
        ({"columns": (*Accounts.columns, "closed")}, "Other fills other columns than AccountSummary has: closed"),
        ({"constant": ()}, "Other updates .* AccountSummary has: account_holder, opened_at, search_name"),
        (
            {"updates": {"balance": "live.balance"}},
            "Other updates .*: closed_at, last_event_at, pin_locked, version, wrong_pins",
        ),
        ({"updates": {**Accounts.updates, "closed": "live.closed"}}, "Other updates .*: closed"),
    ],
)
def test_a_projector_that_forgets_a_column_is_refused_before_it_runs(changed: dict[str, Any], message: str) -> None:
    body = {"name": "other", "model": AccountSummary, "columns": Accounts.columns, **changed}
    with pytest.raises(ImproperlyConfigured, match=message):
        type("Other", (Accounts,), body)
