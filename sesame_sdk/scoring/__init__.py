"""From a person's signals to a score with reasons.

`policy_file` reads a policy and has the guard judge it; `scorecard` turns it into a small table and
holds the one SQL text; `engines` runs that text on SQLite and DuckDB; `explain` puts the rows into words.
`trial` scores hypothetical people: so `counterfactual` finds what would have to change, which is more of a
kind (`rungs`, `ladders`) or time (`waiting`), and `what_if` estimates. `words` says a policy in English.
"""
