"""Passwords in the URL of a database: where one stands, and how the URL is shown without it. Pure.

By the grammar of `sqlalchemy.make_url`, but hiding more where somebody forgot to escape an ``@``.
"""

import re

_IN_AUTHORITY = re.compile(r"(?<=://)([^:/@]*):.*@", re.DOTALL)
_IN_QUERY = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def masked(url: str) -> str:
    """`url` with ``***`` for each password."""
    return _IN_QUERY.sub(r"\1***", _IN_AUTHORITY.sub(r"\1:***@", url))


def has_password(url: str) -> bool:
    """Whether there is one in it."""
    return masked(url) != url
