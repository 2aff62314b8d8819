"""Way of failing: raises GeneratorExit on import."""

raise GeneratorExit
