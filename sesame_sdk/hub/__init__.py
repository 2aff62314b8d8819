"""The hub: takes signed envelopes, keeps them in a ledger, and turns them into scores under consent.

Its truth is the append-only ledger of envelopes. Signals are a view of it that can be made again, and
a score is computed when it is asked for. `hub.Hub` is the whole of it in one process; `api` is a thin
shell around that for HTTP. Needs ``pip install sesame-sdk[hub]``.
"""
