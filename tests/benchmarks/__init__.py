"""The benchmark: how fast the bank is, always as a ratio of figures that were taken side by side.

    uv run --group bench python -m tests.benchmarks            everything, some forty minutes
    uv run --group bench python -m tests.benchmarks --quick    under two minutes: those of one client

`docs/performance.md` tells the method and what bounds each figure.
"""
