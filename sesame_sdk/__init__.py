"""What a plugin author imports, and nothing else.

Importing this loads no plugin and no network library; `Client` and its kind are fetched when first
named. `ScoreStore` and its kind, `fa_ir_table` and `adjusted_alpha` need numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sesame_sdk.errors import (
    ConfigurationError,
    GuardRefusedError,
    InvalidInputError,
    RateLimitedError,
    RetryableError,
    SesameError,
)
from sesame_sdk.files import ensure_private_file, new_private_file
from sesame_sdk.hookspecs import hookimpl
from sesame_sdk.interfaces import Closeable, GuardRule, ScoreConsumer, SignalProvider, Signer, Skipped
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.grant import Direction, Grant, ReadRequest
from sesame_sdk.model.manifest import API_VERSION, ConsumerDeclaration, Manifest
from sesame_sdk.model.policy import Policy, Severity, Weighting
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.model.signals import Conduct, Evidence, Polarity, Sensitivity, Signal, SignalKind
from sesame_sdk.model.terms import Consequence, Decider, Effect, Ranking, Side, Terms
from sesame_sdk.text import terminal_text

if TYPE_CHECKING:
    from sesame_sdk.audit.metrics.fair_ranking import adjusted_alpha as adjusted_alpha
    from sesame_sdk.audit.metrics.fair_ranking import fa_ir_table as fa_ir_table
    from sesame_sdk.partner.client import Client as Client
    from sesame_sdk.partner.config import PartnerConfig as PartnerConfig
    from sesame_sdk.partner.score_store.inbox import Inbox as Inbox
    from sesame_sdk.partner.score_store.store import ScoreStore as ScoreStore
    from sesame_sdk.partner.score_store.subject_index import SubjectIndex as SubjectIndex
    from sesame_sdk.partner.score_store.subscriber import StreamSubscriber as StreamSubscriber

_LAZY = {
    "Client": "sesame_sdk.partner.client",
    "StreamSubscriber": "sesame_sdk.partner.score_store.subscriber",
    "PartnerConfig": "sesame_sdk.partner.config",
    "Inbox": "sesame_sdk.partner.score_store.inbox",
    "SubjectIndex": "sesame_sdk.partner.score_store.subject_index",
    "ScoreStore": "sesame_sdk.partner.score_store.store",
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
    "Closeable",
    "Conduct",
    "ConfigurationError",
    "Consequence",
    "ConsumerDeclaration",
    "Contribution",
    "Decider",
    "Direction",
    "Effect",
    "Evidence",
    "Finding",
    "Grant",
    "GuardRefusedError",
    "GuardRule",
    "Inbox",
    "InvalidInputError",
    "Manifest",
    "PartnerConfig",
    "Polarity",
    "Policy",
    "Pseudonymizer",
    "Ranking",
    "RateLimitedError",
    "ReadRequest",
    "RetryableError",
    "Score",
    "ScoreConsumer",
    "ScoreStore",
    "Sensitivity",
    "SesameError",
    "Severity",
    "Side",
    "Signal",
    "SignalKind",
    "SignalProvider",
    "Signer",
    "Skipped",
    "StreamSubscriber",
    "SubjectIndex",
    "Terms",
    "Weighting",
    "adjusted_alpha",
    "ensure_private_file",
    "fa_ir_table",
    "hookimpl",
    "new_private_file",
    "terminal_text",
]
