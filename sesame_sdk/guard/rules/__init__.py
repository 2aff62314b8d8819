"""The rules that the guard applies, grouped by what they check."""
