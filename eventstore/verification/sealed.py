"""The keys that sealed the two ends of the record. The query is cheap enough for each start and health check."""

from ..models import CommandRecord
from ..seals import KEY_ID


def key_ids_in_use() -> set[str]:
    """Return the ids of the keys that sealed the oldest and the newest command record, if there are any.

    Both ends count. A web process with other keys may have sealed the newest record; the oldest record has the bank's
    own keys.
    """
    records = CommandRecord.objects.using("default").order_by("received_at").values_list("seal", flat=True)
    return {bytes(seal[:KEY_ID]).hex() for seal in (records.first(), records.last()) if seal is not None}
