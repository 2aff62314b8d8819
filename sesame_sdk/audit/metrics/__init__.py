"""What an audit measures: one module a metric, `definitions` with every formula and threshold."""
