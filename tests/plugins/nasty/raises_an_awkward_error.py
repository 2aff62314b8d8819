"""Way of failing: raises an awkward error."""


class AwkwardError(Exception):
    """Its own text cannot be had."""

    def __str__(self):
        raise RuntimeError("not even this")


raise AwkwardError
