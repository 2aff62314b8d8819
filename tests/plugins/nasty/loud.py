"""Way of failing: loud."""

print("hello from the import")

SESAME_API = "1.0"
