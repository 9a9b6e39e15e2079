"""Every direct change of the record in the database is found, however it is covered up."""

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bank.operations.audit import audit
from eventstore.verification import parallel
from tests.support import databases, vandal
from tests.support.databases import Urls, stranger
from tests.support.record import Aside
from tests.support.values import do_business

SEED = int(os.environ.get("MUTATION_SEED", "1"))
"""The seed of the first mutation. A failure prints its seed."""
COUNT = {"sqlite": 200, "postgresql": 30}
EVERY = 40
"""Every so many mutations, one is verified in several real processes as well."""
COVERS = ("nothing covered up", "all recomputed", "all recomputed with stolen keys")
ONLY_BY_A_HEAD = {
    "delete rejected eventstore_commandrecord",
    "edit eventstore_commandrecord.transaction_id",
    "truncate the stream",
    "truncate the log",
}
"""The uncovered changes that only a head or the read side reveals.

These are removed rejected commands, which have no events, and removed ends of streams with their command records.
"""


@contextmanager
def mutated(
    vendor: str, urls: Urls, folder: Path, tables: vandal.Tables, chance: random.Random
) -> Iterator[tuple[str, str]]:
    """Work in a copy of the bank that an attacker has changed. Return the change and the cover."""
    databases.forget_connections()
    folder = Path(tempfile.mkdtemp(dir=folder))
    copy = databases.MAKERS[vendor].copy(urls, folder)
    try:
        with stranger(copy["DATABASE_URL"]) as database:
            done = attack(database, tables, chance)
        with databases.in_use(copy):
            yield done
    finally:
        databases.MAKERS[vendor].drop(copy)
        shutil.rmtree(folder)


def attack(database: Any, tables: vandal.Tables, chance: random.Random) -> tuple[str, str]:
    """Make a change that the database allows."""
    while True:
        changed = {
            name: [dict(row) for row in rows] for name, rows in tables.items()
        }  # the values in a row are replaced
        what = chance.choice(vandal.MUTATIONS)(changed, chance)
        cover = chance.choice(COVERS)
        try:
            if cover != COVERS[0]:
                vandal.recompute(changed)
            if cover == COVERS[2]:
                vandal.reseal(changed)
            # The cover may have restored everything except the emptied snapshots.
            same: vandal.Tables = {vandal.SNAPSHOT: []} if cover != COVERS[0] else {}
            if changed | same != tables | same:
                vandal.save(database, tables, changed, hide_end=cover != COVERS[0])
                return what, cover
        except (database.Error, *vandal.NONSENSE):  # two rows with one key, or an unknown type
            with suppress(database.Error):
                database.execute("ROLLBACK")


@pytest.mark.usefixtures("bank")
def test_every_mutation_is_found(vendor: str, urls: Urls, tmp_path: Path) -> None:
    do_business()
    sound = audit()
    assert (sound.findings, sound.unbelieved) == ([], 0)
    head = sound.head
    with stranger(urls["DATABASE_URL"]) as database:
        tables = vandal.load(database)
        if vendor == "sqlite":
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(tables[name] for name in tables if name != vandal.EPOCH)
    seen: Counter[str] = Counter()
    for number in range(COUNT[vendor]):
        seed = SEED + number
        with mutated(vendor, urls, tmp_path, tables, random.Random(seed)) as (what, cover):
            report = audit(read_side=False, since=head)
            with pytest.MonkeyPatch.context() as patch:
                if number % EVERY:
                    patch.setattr(parallel, "_Process", Aside)
                shared = audit(read_side=False, since=head, processes=2 + number % 2)
        findings = report.findings
        same = (shared.findings, shared.unbelieved) == (findings, report.unbelieved)
        assert same, f"MUTATION_SEED={seed}: several processes see something else: {what}, {cover}"
        if report.unbelieved and not findings:  # snapshots, which are no longer used
            assert vandal.SNAPSHOT in what, f"MUTATION_SEED={seed}: it is not what was changed: {what}, {cover}"
            seen[f"{cover}: a snapshot that is not believed"] += 1
            continue
        assert findings, f"MUTATION_SEED={seed}: nobody noticed: {what}, {cover}"
        blind = all("does not extend the head" in finding.what for finding in findings)
        assert cover != COVERS[0] or what in ONLY_BY_A_HEAD or not blind, f"seed {seed}: {what}: {findings}"
        seen[f"{cover}: {'only by the head' if blind else 'by itself'}"] += 1
    print(dict(seen))
    assert seen[f"{COVERS[2]}: only by the head"], "nobody can tell but by the head that keys were stolen"
