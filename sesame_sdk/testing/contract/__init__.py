"""The contract suite: what every plugin must do."""
