"""A simulator, in the manner of deterministic simulation testing as FoundationDB and TigerBeetle do it.

Seeded runs of the real program on real SQLite files: many clients whose statements are interleaved as the seed says,
conflicts, crashes between any two statements, commands that come twice or with other content, clocks that go back,
replays in the middle, snapshots thrown away, projectors that fail. After every commit all is held against a model.

    uv run python -m tests.system.simulator --seeds 10000 --from 1

`scheduler.py` decides who runs, `faults.py` under which circumstances, `clients.py` is what they do, `model.py` the
bank's rules and `tables.py` the read side in plain Python, `invariants.py` what must hold, `runs.py` one run.
"""
