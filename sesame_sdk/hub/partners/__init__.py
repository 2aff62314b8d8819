"""Admitted partners: keys, registrations, revocation, rate limits."""
