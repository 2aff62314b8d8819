"""What a plugin author imports, and nothing else.

Importing this loads no plugin and no network library; `Client` and its kind are fetched when first
named. `ScoreBook` and its kind, `fa_ir_table` and `adjusted_alpha` need numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sesame_sdk.errors import Misconfigured, Refused, Rejected, Retryable, SesameError, Throttled
from sesame_sdk.hookspecs import hookimpl
from sesame_sdk.interfaces import GuardRule, KeptBack, ScoreConsumer, SignalProvider, Signer
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.grant import Direction, Grant, Reading
from sesame_sdk.model.manifest import API_VERSION, ConsumerDeclaration, Manifest
from sesame_sdk.model.policy import Gravity, Policy, Weighting
from sesame_sdk.model.pseudonyms import Identity
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.model.signals import Conduct, Evidence, Polarity, Sensitivity, Signal, SignalKind
from sesame_sdk.model.terms import Consequence, Decider, Effect, Ranking, Side, Terms

if TYPE_CHECKING:
    from sesame_sdk.audit.metrics.fair_ranking import adjusted_alpha as adjusted_alpha
    from sesame_sdk.audit.metrics.fair_ranking import fa_ir_table as fa_ir_table
    from sesame_sdk.partner.client import Client as Client
    from sesame_sdk.partner.config import Home as Home
    from sesame_sdk.partner.score_store.inbox import Inbox as Inbox
    from sesame_sdk.partner.score_store.store import ScoreBook as ScoreBook
    from sesame_sdk.partner.score_store.subject_index import Roster as Roster
    from sesame_sdk.partner.score_store.subscriber import Follower as Follower

_LAZY = {
    "Client": "sesame_sdk.partner.client",
    "Follower": "sesame_sdk.partner.score_store.subscriber",
    "Home": "sesame_sdk.partner.config",
    "Inbox": "sesame_sdk.partner.score_store.inbox",
    "Roster": "sesame_sdk.partner.score_store.subject_index",
    "ScoreBook": "sesame_sdk.partner.score_store.store",
    "adjusted_alpha": "sesame_sdk.audit.metrics.fair_ranking",
    "fa_ir_table": "sesame_sdk.audit.metrics.fair_ranking",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "API_VERSION",
    "Action",
    "Client",
    "Conduct",
    "Consequence",
    "ConsumerDeclaration",
    "Contribution",
    "Decider",
    "Direction",
    "Effect",
    "Evidence",
    "Finding",
    "Follower",
    "Grant",
    "Gravity",
    "GuardRule",
    "Home",
    "Identity",
    "Inbox",
    "KeptBack",
    "Manifest",
    "Misconfigured",
    "Polarity",
    "Policy",
    "Ranking",
    "Reading",
    "Refused",
    "Rejected",
    "Retryable",
    "Roster",
    "Score",
    "ScoreBook",
    "ScoreConsumer",
    "Sensitivity",
    "SesameError",
    "Side",
    "Signal",
    "SignalKind",
    "SignalProvider",
    "Signer",
    "Terms",
    "Throttled",
    "Weighting",
    "adjusted_alpha",
    "fa_ir_table",
    "hookimpl",
]
