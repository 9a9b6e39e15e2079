"""The bank written with Django's ORM alone: events are models, created and replayed.

The domain, the tables and the screens are the bank's own. It has no plain SQL, no snapshots, no command records, no
chain, no lock and no retry. Rows of the read side are fetched, changed and saved as models.
"""
