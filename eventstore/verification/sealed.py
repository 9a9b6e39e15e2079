"""Which keys the record is sealed with: a look at its two ends, cheap enough for each start and health check."""

from ..models import CommandRecord
from ..seals import KEY_ID


def key_ids_in_use() -> set[str]:
    """Return the ids of the keys that sealed the oldest and the newest command record; none of an empty log.

    Both ends count. A web process with other keys than the rest may have sealed the newest; the keys of the oldest are
    the bank's own.
    """
    records = CommandRecord.objects.using("default").order_by("received_at").values_list("seal", flat=True)
    return {bytes(seal[:KEY_ID]).hex() for seal in (records.first(), records.last()) if seal is not None}
