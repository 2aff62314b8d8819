"""Audits a policy on simulated people before it is used: metrics, simulation and report.

The metrics are pure functions over numpy arrays: they read no file, open no socket and draw no random number.

    impact_ratio        DIS-1   selection rates of groups
    exposure            EXPO-1  attention that groups get in a ranking
    fair_ranking        FAIR-1  least number of a group in every top of a ranking
    stability           PSI-1   shift of the score distribution
    influence           VOL-1   largest fall from one event; PTN-1  most that one partner moves
    conformity          CNF-1   weight on expression, taste and associates; CNF-2  loss of variety
    social_burden       BRD-1   cost of passing for the qualified of each group
    data_minimisation   DATA-1  data kept beyond the need

`metrics.definitions` holds every formula and threshold; `metrics.run_all` measures all of them.
`simulation` draws people, generates their signals and scores them with the score's one SQL text.
`report` builds the result and prints it as JSON, text and HTML.

Groups exist only among simulated people: the product knows no real person's group.
"""
