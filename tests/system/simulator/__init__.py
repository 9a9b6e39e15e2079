"""A deterministic simulator, in the manner of FoundationDB and TigerBeetle.

Seeded runs execute the real program on real SQLite files. The seed decides the interleaving of the clients' statements,
conflicts, crashes between any two statements and so between the steps of a process, repeated commands, reused command
ids, clocks that are set back, replays, deleted snapshots and failing projectors. After every commit everything is
compared with a model.

    uv run python -m tests.system.simulator --seeds 10000 --from 1

`scheduler.py` decides which client runs, and `faults.py` under which circumstances. `clients.py` contains the clients,
`model.py` and `tills.py` the bank's rules, `tables.py` the read side in plain Python, `invariants.py` the checks and
`runs.py` one run.
"""
