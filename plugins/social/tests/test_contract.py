"""The plugin keeps the SDK's contract."""

from datetime import UTC, datetime

from sesame_social import PostEvent

from sesame_sdk.testing import plugin_contract

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
HELPFUL = PostEvent("p1", "ada", AT, "helpful", 3)
ABUSE = PostEvent("p2", "bob", AT, "abuse_confirmed", "moderator-7")
USEFUL = PostEvent("p4", "dora", AT, "useful")
REPORTED = PostEvent("p3", "cleo", AT, "abuse_reported", "ada")

TestContract = plugin_contract("sesame_social", events=[HELPFUL, USEFUL, ABUSE, REPORTED])
