"""Keys that the record needs and the settings lack: a fault of the installation, found without reading the record."""

from typing import NamedTuple

from eventstore import seals
from eventstore.verification import sealed

from ..application import pins


class KeyFault(NamedTuple):
    """A setting that lacks keys. `missing` holds their ids; `none_fits` is true if no set key is the bank's."""

    setting: str
    missing: list[str]
    none_fits: bool

    @property
    def summary(self) -> str:
        """The fault in words without key ids."""
        what = "No key fits" if self.none_fits else "A key is missing"
        return f"{what}: run manage.py check."


def find() -> list[KeyFault]:
    """Return the settings that lack keys.

    Raises:
        django.db.DatabaseError, django.db.InterfaceError
    """
    in_use_and_set = {
        "PIN_KEYS": (pins.key_ids_in_use(), pins.key_ids()),
        "SEAL_KEYS": (sealed.key_ids_in_use(), seals.ring().key_ids),
    }
    return [
        KeyFault(setting, sorted(in_use - known), in_use.isdisjoint(known))
        for setting, (in_use, known) in in_use_and_set.items()
        if in_use - known
    ]
