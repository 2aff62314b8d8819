"""Pictures of a report, as SVG that explains itself. No file, no script, no font, no colour alone.

    scales    from values to places; how numbers are written
    words     what a verdict is called
    svg       shapes, escaped, and the frame that gives each picture its title and description
    nouns     a figure: a picture, the sentence that it states, the table of the same numbers
    lanes     bars one under the other, each with its label above it
    scores    how scores are spread, how a typical score came about
    ranking   who is seen
    rules     what the policy rewards
    pressure  what one event takes, what people stop choosing
    change    what a new policy moves: points, bands
    movers    which groups rise and fall by it
    bullets   a metric against its bounds

Rules: every number written in a picture is in its table; whatever is told apart by colour is also told
apart by shape, line or pattern; labels may be cut short in a picture and never in a table.
"""
