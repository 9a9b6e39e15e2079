"""The benchmark: the bank's speed, as ratios of figures measured side by side.

    uv run --group bench python -m tests.benchmarks            everything, about forty minutes
    uv run --group bench python -m tests.benchmarks --quick    one client only, under two minutes

`docs/performance.md` describes the method and the limits of each figure.
"""
