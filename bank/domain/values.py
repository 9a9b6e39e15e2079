"""The rules of the numbers that commands carry: account numbers, amounts and PINs."""

from .errors import CommandRejected, InvalidAccountId, InvalidAmount, MalformedPin

MAX_ACCOUNT_ID = 2**63 - 1
MAX_AMOUNT = 10**12
"""The largest amount of one command, in minor units."""
MAX_BALANCE = 2**63 - 1
"""The largest balance in minor units: the largest value of a 64-bit column."""
MAX_PIN = 9999


def check_account_id(account_id: int, rejection: type[CommandRejected] = InvalidAccountId) -> None:
    """Raise a rejection unless this can be an account's number."""
    if type(account_id) is not int or not 1 <= account_id <= MAX_ACCOUNT_ID:
        raise rejection(f"An account number is a whole number from 1 to {MAX_ACCOUNT_ID}.")


def check_amount(amount: int) -> None:
    """Raise InvalidAmount unless one command may move this amount of minor units."""
    if type(amount) is not int or amount < 1:
        raise InvalidAmount("The amount must be more than zero.")
    if amount > MAX_AMOUNT:
        raise InvalidAmount("That is more than can be moved at once.")


def check_pin(pin: int) -> None:
    """Raise MalformedPin unless this can be a PIN. The message does not repeat it."""
    if type(pin) is not int or not 0 <= pin <= MAX_PIN:
        raise MalformedPin("A PIN has exactly four digits.")
