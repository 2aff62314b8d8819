"""Helpful posts and confirmed abuse as signals. No word that anybody wrote is ever read."""

from collections.abc import Iterable

from sesame_sdk import SignalProvider, hookimpl
from sesame_social.events import PostEvent
from sesame_social.provider import CommunityPosts

SESAME_API = "1.0"

__all__ = ["CommunityPosts", "PostEvent", "sesame_signal_providers"]


@hookimpl
def sesame_signal_providers() -> Iterable[SignalProvider[PostEvent]]:
    """One provider, ``social``."""
    return (CommunityPosts(),)
