"""The guard decides what may be recorded, scored and read. It runs in every installation.

The rules run when a kind, a policy or a consumer is registered and when a score is read; MIN-1 also when a
grant is recorded. No option turns one off, and further rules can only add refusals. DIS-1, that a policy must
not disadvantage a group, needs simulated people: see `audit`.
"""
