"""What must not go wrong when something else does: each fault is a real one, and all end with one oracle."""
