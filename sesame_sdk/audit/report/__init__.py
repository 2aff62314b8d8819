"""The report of an audit: its model, and its JSON, text and HTML."""
