"""Scores from the ledger: which signals count, policies, reads and their log."""
