"""Simulated people: who they are, what they do, and how a policy changes what they do."""
