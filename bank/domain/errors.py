"""Rejections of commands. A rejected command is invalid; a refusal worth auditing is an event instead."""

from typing import ClassVar


class CommandRejected(Exception):
    """A rejected command: it changed nothing and recorded no event.

    `code` is the stable name of the kind, and `field` the command's field at fault. The message tells the teller what
    is wrong, in English. Screens translate it, so each message is a literal where it is raised, and each value in it is
    a number or stands in curly quotes.
    """

    code: ClassVar[str] = "rejected"
    field: ClassVar[str] = ""


class AccountAlreadyExists(CommandRejected):
    code = "account_already_exists"
    field = "account_id"


class NoSuchAccount(CommandRejected):
    code = "no_such_account"
    field = "account_id"


class InvalidAccountId(CommandRejected):
    code = "invalid_account_id"
    field = "account_id"


class InvalidAccountHolder(CommandRejected):
    code = "invalid_account_holder"
    field = "account_holder"


class InvalidAmount(CommandRejected):
    code = "invalid_amount"
    field = "amount"


class MalformedPin(CommandRejected):
    """A number that cannot be a PIN. (A wrong PIN is the event `InvalidPin`.)"""

    code = "malformed_pin"
    field = "pin"


class PinNotLocked(CommandRejected):
    """The account is not locked."""

    code = "pin_not_locked"
    field = "account_id"


class InvalidTarget(CommandRejected):
    """A transfer to an impossible number, or from an account to itself."""

    code = "invalid_target"
    field = "to_account_id"


class TransferNotOnItsWay(CommandRejected):
    """The account has sent no such transfer, or its end is recorded already."""

    code = "transfer_not_on_its_way"
    field = "transfer_id"


class InvalidTillId(CommandRejected):
    code = "invalid_till_id"
    field = "till_id"


class InvalidTeller(CommandRejected):
    code = "invalid_teller"
    field = "till_id"


class InvalidCount(CommandRejected):
    """A count of cash that cannot be."""

    code = "invalid_count"


class TillIsOpen(CommandRejected):
    """Some teller has the till."""

    code = "till_is_open"
    field = "till_id"


class TellerHasTill(CommandRejected):
    """The teller has an open till already."""

    code = "teller_has_till"
    field = "till_id"


class TillRequired(CommandRejected):
    """The bank takes and pays cash only through a till, and the teller has none open."""

    code = "till_required"


class TillShiftOver(CommandRejected):
    """The till has been closed since the task began."""

    code = "till_shift_over"


class AccountClosed(CommandRejected):
    """The account is closed for good."""

    code = "account_closed"
    field = "account_id"


class AccountNotEmpty(CommandRejected):
    """An account with money cannot be closed."""

    code = "account_not_empty"
    field = "account_id"


class NotReversible(CommandRejected):
    """The command has recorded nothing at this account that a correction of this kind can reverse."""

    code = "not_reversible"
    field = "reversed_command_id"


class AlreadyReversed(CommandRejected):
    code = "already_reversed"
    field = "reversed_command_id"


class BalanceTooLow(CommandRejected):
    """The reversal of a deposit would leave a negative balance."""

    code = "balance_too_low"
    field = "reversed_command_id"


class InvalidReason(CommandRejected):
    code = "invalid_reason"
    field = "reason"


class CommandIdReused(CommandRejected):
    """The command id belongs to an earlier command with other content."""

    code = "command_id_reused"
    field = "command_id"


REJECTIONS: dict[str, type[CommandRejected]] = {kind.code: kind for kind in CommandRejected.__subclasses__()}
"""Every kind by its code, so that a recorded rejection can be raised again."""
