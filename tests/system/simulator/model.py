"""A model of the bank's rules in plain Python: the result of a command on an account.

It is written independently of the aggregate and of the SQL, and shares only the commands with them. It knows the
customers' PINs, because it sees the commands.
"""

from typing import Any, NamedTuple

from bank.domain.commands import (
    AccountCommand,
    ChangePin,
    CloseBankAccount,
    CompleteMoneyTransfer,
    CreateBankAccount,
    DepositMoneyIntoBankAccount,
    ReceiveMoneyTransfer,
    ReturnMoneyTransfer,
    ReverseDeposit,
    ReverseWithdrawal,
    TransferMoneyBetweenBankAccounts,
    UnlockPin,
    WithdrawMoneyFromBankAccount,
)

MOST = 10**12


class Account(NamedTuple):
    """The state of an account. Before it is opened it has no holder.

    `moves` holds the command id, kind and amount of each deposit and withdrawal, and `undone` the reversed ids. `sent`
    holds id, other account and amount of each transfer whose end is not recorded.
    """

    version: int = 0
    holder: str = ""
    pin: int = -1
    balance: int = 0
    wrong_pins: int = 0
    locked: bool = False
    closed: bool = False
    moves: tuple[tuple[str, str, int], ...] = ()
    undone: tuple[str, ...] = ()
    sent: tuple[tuple[str, int, int], ...] = ()


type Happening = tuple[str, dict[str, Any]]
"""A stored event: its type and its payload."""


def decide(  # noqa: C901  # a case for each command
    account: Account, command: AccountCommand, command_id: str, attempts: int
) -> list[Happening] | str:
    """Return the events of a command, or the code of its rejection. `attempts` wrong PINs lock withdrawals."""
    if not 1 <= command.account_id < 2**63:
        return "invalid_account_id"
    match command:
        case CreateBankAccount():
            return _create(account, command)
        case DepositMoneyIntoBankAccount():
            return _nonsense(account, command.amount) or [
                ("money_deposited_into_bank_account", {"accountId": command.account_id, "amount": command.amount})
            ]
        case WithdrawMoneyFromBankAccount():
            if not _is_pin(command.pin):
                return "malformed_pin"
            return _nonsense(account, command.amount) or _withdraw(account, command, attempts)
        case UnlockPin() | ChangePin():
            return _supervise(account, command)
        case CloseBankAccount():
            return _close(account, command, attempts)
        case ReverseDeposit() | ReverseWithdrawal():
            return _reverse(account, command)
        case TransferMoneyBetweenBankAccounts():
            return _send(account, command, command_id, attempts)
        case ReceiveMoneyTransfer() | CompleteMoneyTransfer() | ReturnMoneyTransfer():
            return _go_on(account, command)
        case _:
            raise AssertionError(f"the model knows nothing of {command}")


def _is_pin(pin: int) -> bool:
    return 0 <= pin <= 9999


def _create(account: Account, command: CreateBankAccount) -> list[Happening] | str:
    if not command.account_holder.strip():
        return "invalid_account_holder"
    if not _is_pin(command.pin):
        return "malformed_pin"
    if account.holder:
        return "account_already_exists"
    return [("bank_account_created", {"accountId": command.account_id, "accountHolder": command.account_holder})]


def _nonsense(account: Account, amount: int) -> str:
    """Return the reason why no money can be moved at all, or the empty string."""
    if not 1 <= amount <= MOST:
        return "invalid_amount"
    return _not_open(account)


def _not_open(account: Account) -> str:
    if not account.holder:
        return "no_such_account"
    return "account_closed" if account.closed else ""


def _bad_pin(
    account: Account,
    command: WithdrawMoneyFromBankAccount | TransferMoneyBetweenBankAccounts | CloseBankAccount,
    request: dict[str, Any],
    attempts: int,
) -> list[Happening]:
    """Return what a task that needs the PIN comes to without the right one, or nothing."""
    if account.locked:
        return [("withdrawal_blocked", request)]
    if command.pin == account.pin:
        return []
    wrong = account.wrong_pins + 1
    locked = [("pin_locked", {"accountId": command.account_id, "wrong_pins": wrong})] if wrong >= attempts else []
    return [("invalid_pin", request), *locked]


def _close(account: Account, command: CloseBankAccount, attempts: int) -> list[Happening] | str:
    if not _is_pin(command.pin):
        return "malformed_pin"
    if no := _not_open(account) or ("account_not_empty" if account.balance or account.sent else ""):
        return no
    request = {"accountId": command.account_id, "amount_requested": 0}
    refused = _bad_pin(account, command, request, attempts)
    return refused or [("bank_account_closed", {"accountId": command.account_id})]


def _reverse(account: Account, command: ReverseDeposit | ReverseWithdrawal) -> list[Happening] | str:
    if not command.reason:
        return "invalid_reason"
    if no := _not_open(account):
        return no
    command_id = str(command.reversed_command_id)
    kind = "deposit" if isinstance(command, ReverseDeposit) else "withdrawal"
    amounts = [amount for each, what, amount in account.moves if (each, what) == (command_id, kind)]
    if not amounts:
        return "not_reversible"
    if command_id in account.undone:
        return "already_reversed"
    if kind == "deposit" and amounts[0] > account.balance:
        return "balance_too_low"
    data = {"amount": amounts[0], "reversedCommandId": command_id, "reason": command.reason}
    return [(f"{kind}_reversed", {"accountId": command.account_id, **data})]


def _withdraw(
    account: Account, command: WithdrawMoneyFromBankAccount | TransferMoneyBetweenBankAccounts, attempts: int
) -> list[Happening]:
    request = {"accountId": command.account_id, "amount_requested": command.amount}
    if refused := _bad_pin(account, command, request, attempts):
        return refused
    if command.amount > account.balance:
        return [("account_overdrawn", {**request, "balance": account.balance})]
    return [("money_withdrawn_from_bank_account", {"accountId": command.account_id, "amount": command.amount})]


def _send(
    account: Account, command: TransferMoneyBetweenBankAccounts, command_id: str, attempts: int
) -> list[Happening] | str:
    if not _is_pin(command.pin):
        return "malformed_pin"
    if not 1 <= command.amount <= MOST:
        return "invalid_amount"
    if not 1 <= command.to_account_id < 2**63 or command.to_account_id == command.account_id:
        return "invalid_target"
    if no := _not_open(account):
        return no
    happened = _withdraw(account, command, attempts)
    if happened[0][0] != "money_withdrawn_from_bank_account":
        return happened
    transfer = {"toAccountId": command.to_account_id, "amount": command.amount, "transferId": command_id}
    return [("money_transfer_sent", {"accountId": command.account_id, **transfer})]


def _go_on(
    account: Account, command: ReceiveMoneyTransfer | CompleteMoneyTransfer | ReturnMoneyTransfer
) -> list[Happening] | str:
    """Return the next step of a transfer. No account of a run is full."""
    if no := _not_open(account):
        return no
    which = {"accountId": command.account_id, "transferId": command.transfer_id}
    if isinstance(command, ReceiveMoneyTransfer):
        came = {"fromAccountId": command.from_account_id, "amount": command.amount}
        return [("money_transfer_received", {**which, **came})]
    sent = {each: (to, amount) for each, to, amount in account.sent}
    if command.transfer_id not in sent:
        return "transfer_not_on_its_way"
    if isinstance(command, CompleteMoneyTransfer):
        return [("money_transfer_completed", which)]
    to, amount = sent[command.transfer_id]
    return [("money_transfer_returned", {**which, "toAccountId": to, "amount": amount, "reason": command.reason})]


def _supervise(account: Account, command: UnlockPin | ChangePin) -> list[Happening] | str:
    if isinstance(command, ChangePin) and not _is_pin(command.pin):
        return "malformed_pin"
    if no := _not_open(account):
        return no
    which = {"accountId": command.account_id}
    unlocked = [("pin_unlocked", which)] if account.locked else []
    if isinstance(command, UnlockPin):
        return unlocked or "pin_not_locked"
    return [("pin_changed", which), *unlocked]


def after(  # noqa: C901  # a case for each event
    account: Account, command: AccountCommand, command_id: str, happened: list[Happening]
) -> Account:
    """Return the account after the events of a command."""
    for kind, data in happened:
        account = account._replace(version=account.version + 1)
        match kind:
            case "bank_account_created":
                assert isinstance(command, CreateBankAccount)
                account = account._replace(holder=data["accountHolder"], pin=command.pin)
            case "money_deposited_into_bank_account":
                moves = (*account.moves, (command_id, "deposit", data["amount"]))
                account = account._replace(balance=account.balance + data["amount"], moves=moves)
            case "money_withdrawn_from_bank_account":
                moves = (*account.moves, (command_id, "withdrawal", data["amount"]))
                account = account._replace(balance=account.balance - data["amount"], wrong_pins=0, moves=moves)
            case "deposit_reversed" | "withdrawal_reversed":
                sign = 1 if kind == "withdrawal_reversed" else -1
                undone = (*account.undone, data["reversedCommandId"])
                account = account._replace(balance=account.balance + sign * data["amount"], undone=undone)
            case "bank_account_closed":
                account = account._replace(closed=True)
            case "money_transfer_sent":
                sent = (*account.sent, (data["transferId"], data["toAccountId"], data["amount"]))
                account = account._replace(balance=account.balance - data["amount"], wrong_pins=0, sent=sent)
            case "money_transfer_received":
                account = account._replace(balance=account.balance + data["amount"])
            case "money_transfer_completed" | "money_transfer_returned":
                left = tuple(each for each in account.sent if each[0] != data["transferId"])
                account = account._replace(balance=account.balance + data.get("amount", 0), sent=left)
            case "account_overdrawn":
                account = account._replace(wrong_pins=0)
            case "invalid_pin":
                account = account._replace(wrong_pins=account.wrong_pins + 1)
            case "pin_locked":
                account = account._replace(locked=True)
            case "pin_unlocked":
                account = account._replace(locked=False, wrong_pins=0)
            case "pin_changed":
                assert isinstance(command, ChangePin)
                account = account._replace(pin=command.pin, wrong_pins=0)
    return account
