"""Says nothing of an API."""
