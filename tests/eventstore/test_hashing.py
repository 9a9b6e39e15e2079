"""Hashed and sealed texts are JSON lists of a whole row. Any change of their form would break the record."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore import seals
from eventstore.backends.sqlite import SQLite
from eventstore.chain import GENESIS, canonical, command_text, event_hash, moment_text
from eventstore.events import Envelope

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]))
INTEGERS = st.integers(1, 2**63 - 1)


def text_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


@given(st.tuples(st.text(), INTEGERS, st.text(), INTEGERS, st.text(), st.text(), st.uuids(), MOMENTS))
def test_an_events_hash_goes_over_the_json_of_its_row(row: Any) -> None:
    *fields, command_id, moment = row
    text = json.dumps([*fields, command_id.hex, text_of(moment)])
    assert event_hash(GENESIS, *row) == hashlib.sha256(GENESIS + text.encode()).digest()


@given(
    st.builds(
        Envelope,
        st.uuids(),
        st.text(),
        st.text(),
        MOMENTS,
        st.binary(min_size=32, max_size=32),
        correlation_id=st.none() | st.uuids(),
        causation=st.just("") | st.text(),
        metadata=st.just({}),
    ),
    st.tuples(st.text(), st.text(), st.text(), st.text(), st.none() | INTEGERS, INTEGERS),
    st.binary(min_size=32, max_size=32),
)
def test_a_command_records_seal_goes_over_the_json_of_its_row(command: Envelope, outcome: Any, digest: bytes) -> None:
    who = [command.id.hex, command.name, command.actor, text_of(command.received_at), command.fingerprint.hex()]
    caused = [command.causation] if command.causation else []  # records are older than causation
    assert command_text(command, outcome, digest) == json.dumps(["command", *who, *outcome, digest.hex(), *caused])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(HTTPStatus) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), st.text() | st.integers()) | st.dictionaries(st.text(), JSON))
def test_the_canonical_form_is_jsons_own_with_sorted_keys_and_no_white_space(payload: dict[str, Any]) -> None:
    assert canonical(payload) == json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(MOMENTS)
def test_a_time_has_one_text_and_on_sqlite_the_column_value_of_djangos_adapter(moment: datetime) -> None:
    assert moment_text(moment) == text_of(moment)
    assert SQLite("default").adapt(moment) == str(moment.astimezone(UTC).replace(tzinfo=None))


def test_a_known_event_has_its_known_hash() -> None:
    row = ("bank_account-7", 2, "money_deposited_into_bank_account", 1, '{"accountId":7,"amount":50}', "{}")
    digest = event_hash(GENESIS, *row, UUID(int=5), datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert digest.hex() == "fadb93d439773971eef53cd4ac7b78bacfd835ad2d1a590d13d5ca31d35feed6"


def test_a_seal_is_of_one_text_under_one_key(settings: Any) -> None:
    settings.SEAL_KEYS = ["new", "old"]
    mark = seals.seal("text")
    assert len(mark) == seals.SIZE
    seals.check(mark, "text")
    settings.SEAL_KEYS = ["newer", "new"]
    seals.check(mark, "text")
    for other in ("texts", "", "Text"):
        with pytest.raises(seals.BadSeal, match="does not fit"):
            seals.check(mark, other)
    for spoilt in (b"", mark[:-1], mark[1:], bytes(36), mark + b"x"):
        with pytest.raises(seals.BadSeal):
            seals.check(spoilt, "text")
    settings.SEAL_KEYS = ["newer"]
    with pytest.raises(seals.BadSeal, match="is not among SEAL_KEYS"):
        seals.check(mark, "text")
