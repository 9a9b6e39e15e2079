"""PIN verifiers: their inputs, and that they reveal no PIN."""

from typing import Any
from uuid import UUID

import pytest

from bank.application import pins
from bank.domain.commands import ChangePin, CreateBankAccount, WithdrawMoneyFromBankAccount
from bank.operations.installation import InstallationFault
from tests.support.values import PIN, open_account, query

pytestmark = pytest.mark.usefixtures("bank")


def test_an_account_without_a_verifier_has_no_right_pin() -> None:
    open_account(1)
    assert pins.matches(1, PIN)
    for pin in (PIN, 0, 9999):
        with pytest.raises(InstallationFault, match="Account 2 has no PIN verifier"):
            pins.matches(2, pin)


def test_a_verifier_that_is_copied_to_another_account_does_not_match_there() -> None:
    open_account(1, pin=PIN)
    open_account(2, pin=PIN + 1)
    query("DELETE FROM bank_pinverifier WHERE account_id = 2")
    query("UPDATE bank_pinverifier SET account_id = 2 WHERE account_id = 1")
    assert not pins.matches(2, PIN)
    query("UPDATE bank_pinverifier SET account_id = 1 WHERE account_id = 2")
    assert pins.matches(1, PIN), "it is the account alone that made the difference"


def test_a_verifier_does_not_match_with_another_salt() -> None:
    open_account(1)
    [(salt,)] = query("SELECT salt FROM bank_pinverifier")
    query("UPDATE bank_pinverifier SET salt = %s", bytes(16))
    assert not pins.matches(1, PIN)
    query("UPDATE bank_pinverifier SET salt = %s", bytes(salt))
    assert pins.matches(1, PIN)


def test_each_verifier_has_a_salt_of_its_own() -> None:
    verifiers = [pins.make_verifier(1, PIN, UUID(int=1)) for _ in range(10)]
    assert len({verifier.salt for verifier in verifiers}) == 10
    assert {len(verifier.salt) for verifier in verifiers} == {16}


def test_the_database_without_the_key_does_not_reveal_a_pin(settings: Any) -> None:
    open_account(1)
    [key] = settings.PIN_KEYS
    settings.PIN_KEYS = [key + " and more"]
    [old_id], [new_id] = pins._ring(key), pins._ring(*settings.PIN_KEYS)
    query("UPDATE bank_pinverifier SET key_id = %s WHERE key_id = %s", new_id, old_id)
    assert not pins.matches(1, PIN)


@pytest.mark.parametrize("kind", [WithdrawMoneyFromBankAccount, ChangePin, CreateBankAccount])
def test_commands_that_differ_in_their_pins_alone_have_the_same_fingerprint(kind: Any) -> None:
    content = {WithdrawMoneyFromBankAccount: (1, 5), ChangePin: (1,), CreateBankAccount: (1, "Josh")}[kind]
    assert pins.fingerprint(kind(*content, PIN)) == pins.fingerprint(kind(*content, PIN + 1))
