"""Way of failing: lacks a dependency."""

import a_package_that_nobody_has  # noqa: F401
