"""Way of failing: interrupted on import."""

raise KeyboardInterrupt
