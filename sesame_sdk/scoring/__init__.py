"""From a person's signals to a score with reasons.

`policy_file` reads a policy and has the guard check it; `scorecard` holds the scoring SQL and the table that
a policy becomes for it; `engines` run that SQL on SQLite, PostgreSQL and DuckDB; `explain` turns the rows
into scores with reasons. `recourse` searches what would have to change: more of a kind, or time. `what_if`
estimates scores for signals that do not exist. `policy_text` describes a policy in English.
"""
