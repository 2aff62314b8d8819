"""The catalogues: what a kind may record, what may follow from a score, and the lists that both choose from.

They are TOML files beside this module, and grow by a release of the SDK. Whatever they do not contain cannot
be
declared: it needs no list of bad words to be refused.
"""
