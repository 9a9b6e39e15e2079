"""A change of an account's state, or of how events change it, needs a new STATE_VERSION."""

import ast
import hashlib
import inspect
from dataclasses import fields

from bank.domain.account import STATE_VERSION, BankAccount

DIGESTS = {1: "3acb19e346b1211d"}
"""The digest of `BankAccount.apply` and the fields, for each state version."""


def digest() -> str:
    """Return a digest that comments and layout do not change."""
    [source] = ast.parse("class Source:\n" + inspect.getsource(BankAccount.apply)).body
    state = [(field.name, str(field.type)) for field in fields(BankAccount)]
    return hashlib.sha256(f"{ast.unparse(source)}{state}".encode()).hexdigest()[:16]


def test_a_changed_state_has_a_new_version() -> None:
    assert DIGESTS.get(STATE_VERSION, digest()) == digest(), (
        "BankAccount.apply or a field has changed: raise STATE_VERSION in bank/domain/account.py, "
        "so that snapshots of the state before are not used"
    )
    assert STATE_VERSION in DIGESTS, f"add to DIGESTS: {STATE_VERSION}: {digest()}"
