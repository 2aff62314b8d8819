"""Placeholder until its rooms stand."""
