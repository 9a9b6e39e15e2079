"""Is there a PIN anywhere? Two worlds that differ in nothing but the PINs must not differ in a byte that leaves them.

Ten thousand four-digit numbers cannot be searched for: amounts, positions and hashes hold most of them by chance. So
the whole application runs twice, with the same clock, the same randomness and the same business, and with other PINs;
then whatever was stored, logged, mailed, shown or put into an address is compared. What is the same in both worlds says
nothing of a PIN. The keyed hash is the one thing that has to differ: in its place stands a random oracle, which answers
the first new question with the first answer, the second with the second, and tells equal from unequal and no more.

    uv run python -m tests.system.canaries --from 0 --pins 10000
"""
