"""Who gets in, for how long, and what the browser is told.

Read in the order of a log-in: `backends` (a password is looked at), `throttle` (how often), `second_factor`,
`sessions` (how long it lasts, and whether the password is fresh), `views` (the screens), `middleware` (what holds
for every request), `events` (what is logged). Nothing here knows of accounts or money.
"""
