"""One plugin with many ways of failing: a module each. What they share is in `parts`."""
