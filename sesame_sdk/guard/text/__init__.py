"""Matching listed words in text: normalisation, word lists, vagueness."""
