"""The projectors: one file for each table of the read side. Only they write these tables."""

from .accounts import Accounts
from .base import Projector
from .daily import Daily
from .names import Names
from .refusals import Refusals
from .statements import Statements
from .till_movements import TillMovements
from .tills import Tills
from .totals import Totals
from .transfers import Transfers

PROJECTORS: dict[str, type[Projector]] = {
    projector.name: projector
    for projector in (
        Accounts,
        Statements,
        Refusals,
        Totals,
        Daily,
        Names,
        Transfers,
        Tills,
        TillMovements,
    )
}
"""Every projector by the name of its projection."""
