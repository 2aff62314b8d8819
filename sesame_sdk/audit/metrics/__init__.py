"""The metrics of an audit: one module a metric or pair of metrics, `definitions` with every threshold."""
