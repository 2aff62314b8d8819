"""The guard: what may be said, scored and read. Pure; on in every installation; it has no switch.

The rules, each in the room that holds it:

    declaration   DCL-1 what a kind is made of, EXP-1 reasons that say something
    content       POL-1 politics, SPC-1 special categories, TST-1 taste, ASC-1 other people's conduct,
                  BIO-1 bodies and feelings, LOC-1 places, RGT-1 the use of one's rights
    effect        CTX-1 contexts, INF-1 inferences, RET-1 retention
    consequence   PRP-1 proportion, ADM-1 who decides, PRC-1 prices, MAT-1 rankings
    terms         VIS-1 publicity, ENR-1 joining, NOS-1 people without a score, MIN-1 age, DSP-1 disputes
    access        PUR-1 to PUR-6 purposes, CON-1 consent

They stand at four doors: when a kind is registered, a policy loaded, a consumer registered, a score
read; and MIN-1 also where a consent is recorded. `guard.Guard` runs them all, and more rules can only
add refusals. DIS-1, that a policy must not pass over a group, needs people to judge by: see `audit`.
"""
