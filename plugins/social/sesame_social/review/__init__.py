"""The moderators' page: suspected posts, why they were suspected, and decisions."""
