"""Way of failing: api newer minor."""

SESAME_API = "1.1"
