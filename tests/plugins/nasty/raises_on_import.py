"""Way of failing: raises on import."""

raise RuntimeError("the tap\n  is broken")
