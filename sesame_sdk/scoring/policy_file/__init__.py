"""Reading a policy from TOML, with the line of every error."""
