"""What a policy would do to people, before it does it: simulated people, metrics, the report.

The metrics, each a pure function over numpy arrays, with no file, no socket and no random number:

    selection    DIS-1   impact ratio between groups
    exposure     EXPO-1  who gets seen in a ranking
    fa_ir        FAIR-1  a group's least number in every top of a ranking
    stability    PSI-1   whether the scores of today are spread as those of before
    influence    VOL-1   the largest fall from one event; PTN-1 the most that one partner moves
    conformity   CNF-1   weight on expression, taste and associates; CNF-2 what people stop choosing
    burden       BRD-1   what passing costs the qualified of each group; DATA-1 data beyond the need

Beside each stands its `measure_...`: the same, as a `measured.Measured` with a verdict that any report
can print and `measured.finding` turns into a finding. `catalogue` holds every formula and threshold.
What they are taken of, one step after the other:

    population, population_form   who is simulated: settings, and the file they are read from
    people, behaviour, play       who they are, what they do, how the score's one SQL text scores them
    effects, effort, keeping, adaptation   whom a policy meets, what it takes, what it keeps, what it narrows
    metrics, simulation, compare, run      every metric, what a report shows, what a change does, the whole
    document, text, page          the report as JSON, for a terminal, as a page

Groups exist in simulated people only: the product knows nobody's group.
"""
