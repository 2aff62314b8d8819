"""Word lists of the lexical check, English and Chinese, one module for what is looked at together.

    subjects   what a score must not be made of
    traces     what must not be collected for one: bodies, places, the use of one's rights
    stakes     what a score must not decide on, and who must not get it
    records    guesses, and records from elsewhere, that are declared to be something else
    verdicts   burdens, prices, verdicts and rankings that are declared to be something else

Entries are parted by semicolons. A star stands for any ending; the last word of an entry may also be a
plural. Chinese is matched anywhere in the text, in simplified and traditional script. `words` says
which list belongs to which topic.
"""
