"""Backs up a hub into one file while it runs, and restores it; withdrawals since then are replayed."""
