"""The report of an audit: its model, and JSON, text and HTML made of it."""
