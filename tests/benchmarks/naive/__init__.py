"""The bank written with Django's ORM alone: events are models, created and replayed.

The domain, the tables and the screens are the bank's own. What differs is all between them: no plain SQL, no snapshot,
no record of commands, no chain, no lock and no second try; the read side's rows are models that are
fetched, changed and saved.
"""
