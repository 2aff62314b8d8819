"""The partner's fixtures: a hub that can misbehave, and clients of it."""

from tests.partner.conftest import client, hours, open_client, partner_key, peer, signals

__all__ = ["client", "hours", "open_client", "partner_key", "peer", "signals"]
