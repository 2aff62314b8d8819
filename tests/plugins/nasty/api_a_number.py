"""Way of failing: api a number."""

SESAME_API = 1.0
