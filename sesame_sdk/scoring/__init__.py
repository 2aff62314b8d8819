"""From a person's signals to a score with reasons."""
