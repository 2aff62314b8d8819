"""What a hub shows its operator: log, metrics, spans, readiness. None holds anything about a person."""
