"""A change of an aggregate's state, or of how events change it, needs a new STATE_VERSION."""

import ast
import hashlib
import inspect
from dataclasses import fields

from bank.domain import account_state, till

DIGESTS = {1: "e21345e79a031916", 2: "dfc766e0f2e20e01"}
"""The digest of `AccountState.apply` and the fields, for each state version."""
OF_TILL = {1: "cf4a4e7a008359c4"}
"""The same of `Till`."""


def digest(aggregate: type[account_state.AccountState] | type[till.Till]) -> str:
    """Return a digest that comments and layout do not change."""
    [source] = ast.parse("class Source:\n" + inspect.getsource(aggregate.apply)).body
    state = [(field.name, str(field.type)) for field in fields(aggregate)]
    return hashlib.sha256(f"{ast.unparse(source)}{state}".encode()).hexdigest()[:16]


def test_a_changed_state_has_a_new_version() -> None:
    for aggregate, version, digests in (
        (account_state.AccountState, account_state.STATE_VERSION, DIGESTS),
        (till.Till, till.STATE_VERSION, OF_TILL),
    ):
        now = digest(aggregate)
        assert digests.get(version, now) == now, (
            f"{aggregate.__name__}.apply or a field has changed: raise STATE_VERSION in "
            f"{aggregate.__module__.replace('.', '/')}.py, so that snapshots of the state before are not used"
        )
        assert version in digests, f"add to DIGESTS: {version}: {now}"
