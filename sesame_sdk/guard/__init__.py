"""The guard: what may be said, scored and read. Pure; on in every installation; it has no switch.

The rules, each in the room that holds it:

    content   POL-1 politics, SPC-1 special categories, TST-1 taste, ASC-1 other people's conduct
    effect    CTX-1 contexts, INF-1 inferences, RET-1 retention, NOS-1 people without a score
    access    PUR-1 to PUR-6 purposes, CON-1 consent

They stand at four doors: when a kind is registered, a policy loaded, a consumer registered, a score
read. `guard.Guard` runs them all, and more rules can only add refusals.
"""
