"""The charts of a report, as self-contained SVG: no file, script or font.

    scales         positions of values; how numbers are formatted
    wording        names of verdicts, the same on the page and in the terminal
    svg            escaped shapes, and the frame with title and description
    figure         a figure: a picture, its summary, and the table of the same numbers
    bar_rows       rows of bars, each with its label above it
    distribution   the distribution of scores, and how a typical score is made up
    exposure       attention of each group in a ranking
    rewards        points that each kind brings
    event_impact   the largest fall from one event; free choices before and after people adapt
    policy_change  effects of a new policy: points, bands, groups
    bullet         a metric against its bounds

Rules: every number in a picture is in its table; colour always comes with a shape, line or pattern; labels
may be cut short in a picture and never in a table.
"""
