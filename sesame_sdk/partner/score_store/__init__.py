"""A reader's local replica of scores, kept up to date by the hub's stream."""
