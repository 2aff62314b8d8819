"""What would have to change for a person to reach a band (recourse)."""
