"""Way of failing: api a word."""

SESAME_API = "new"
