"""Finds listed words in text: normalization, topics, vagueness."""
