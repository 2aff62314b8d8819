"""The guard decides what may be recorded, scored and read. It runs in every installation.

The rules, by the module that holds them:

    declarations      DCL-1 declared data categories, EXP-1 specific reasons
    sensitive_data    POL-1 politics, SPC-1 special categories, TST-1 taste, ASC-1 other people's conduct,
                      BIO-1 biometrics and emotions, LOC-1 locations, RGT-1 the use of one's rights
    score_influence   CTX-1 contexts, INF-1 inferences, RET-1 retention
    outcomes          PRP-1 proportionality, ADM-1 human decisions, PRC-1 prices, MAT-1 rankings
    terms             VIS-1 visibility, ENR-1 enrolment, NOS-1 people without a score, MIN-1 minimum age,
                      DSP-1 disputes
    purposes          PUR-1 to PUR-6 purposes, CON-1 consent

They run when a kind, a policy or a consumer is registered and when a score is read; MIN-1 also when a grant
is recorded. `guard.Guard` runs them all, no option turns one off, and further rules can only add refusals.
DIS-1, that a policy must not disadvantage a group, needs simulated people: see `audit`.
"""
