"""Persons, their pseudonyms and their grants."""
