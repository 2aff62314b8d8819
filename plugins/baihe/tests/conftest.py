"""What the tests of this plugin share."""

from hypothesis import settings

# A deadline for each example is a timed test, and machines are busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
