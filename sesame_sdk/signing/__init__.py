"""Keys, tokens, disclosures and trust. Only `SigningKey` reads and writes files; callers pass the time."""
