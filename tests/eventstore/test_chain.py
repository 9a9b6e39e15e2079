"""The hash chain of each stream."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from eventstore.chain import canonical
from tests.support.things import append
from tests.support.things import no_read_side as no_read_side
from tests.support.values import broken_links, lift_protection, query, whole_log


def test_each_event_is_chained_to_the_one_before_it_in_its_stream() -> None:
    append("thing-1", 1, 2)
    append("thing-2", 1)
    append("thing-1", 3, after=2)
    assert broken_links() == []
    assert len({event.hash for event in whole_log()}) == 4


@pytest.mark.parametrize(
    "change",
    [
        "stream = 'thing-9'",
        "version = 9",
        "type = 'else'",
        "schema_version = 2",
        """data = '{"number":1000000}'""",
        """metadata = '{"actor":"mallory","correlation_id":""}'""",
        "command_id = '00000000000000000000000000000000'",
        "recorded_at = '2020-01-01 00:00:00'",
        "hash = substr(hash, 1, 31)",
    ],
)
def test_any_change_of_a_row_breaks_the_chain(change: str) -> None:
    append("thing-1", 1, 2, 3)
    lift_protection()
    query(f"UPDATE eventstore_event SET {change} WHERE position = 2")
    assert broken_links()


@hypothesis_settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_a_payload_has_one_canonical_form(payload: dict[str, Any]) -> None:
    assert canonical(payload) == canonical(dict(reversed(payload.items())))
