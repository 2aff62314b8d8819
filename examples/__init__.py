"""Things to run and to read: the demonstration, policies, and the seeded scripts that made the data."""
