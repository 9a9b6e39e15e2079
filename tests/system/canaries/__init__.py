"""Search for leaked PINs: two worlds that differ only in their PINs must not differ in any byte that leaves them.

A text search for ten thousand four-digit numbers is useless: amounts, positions and hashes contain most of them by
chance. So the whole application runs twice with the same clock, the same randomness and the same business, but with
other PINs. Everything stored, logged, mailed, shown or put into a URL is compared. A byte that is the same in both
worlds reveals no PIN. Only the keyed hash must differ, so a random oracle replaces it: the n-th new question gets the
n-th answer, which reveals only whether two questions are equal.

    uv run python -m tests.system.canaries --from 0 --pins 10000
"""
