"""Authentication: log-in, second factor, sessions and throttling.

Read the modules in the order of a log-in: `backends` (checks the password), `throttle` (limits the tries),
`second_factor`, `sessions` (lifetime, and age of the password), `views` (the screens), `middleware` (rules for every
request), `security_log`. Nothing here knows of accounts or money.
"""
