"""Way of failing: api tomorrow."""

SESAME_API = "2.0"
