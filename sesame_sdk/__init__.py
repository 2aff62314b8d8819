"""The public API: all that a plugin imports.

The import loads no plugin and no network library; `Client` and others are imported on first access.
`ScoreStore` and what belongs to it, `fa_ir_table` and `adjusted_alpha` need numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sesame_sdk import records
from sesame_sdk.catalogue.observations import Observation, load_proposal
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
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.model.signals import Signal, SignalKind
from sesame_sdk.model.terms import Effect, Ranking, Terms
from sesame_sdk.text import terminal_text

if TYPE_CHECKING:
    from sesame_sdk.audit.metrics.fair_ranking import adjusted_alpha, fa_ir_table
    from sesame_sdk.cli.console import print_json, print_note, print_rows, progress_bar
    from sesame_sdk.cli.options import config_option, json_option
    from sesame_sdk.cli.upload import open_rejects, report_upload, upload_options
    from sesame_sdk.delivery.sqlite_store import SqliteStore
    from sesame_sdk.partner.client import Client
    from sesame_sdk.partner.config import PartnerConfig
    from sesame_sdk.partner.score_store.inbox import Inbox
    from sesame_sdk.partner.score_store.store import ScoreStore
    from sesame_sdk.partner.score_store.stream_client import StreamClient
    from sesame_sdk.partner.score_store.subscriber import StreamSubscriber
    from sesame_sdk.partner.score_store.table import SubjectIndex
    from sesame_sdk.partner.uploader import RejectsFile, SignalUploader, UploadSummary, bulk_mode

_LAZY = {
    "Client": "sesame_sdk.partner.client",
    "StreamClient": "sesame_sdk.partner.score_store.stream_client",
    "StreamSubscriber": "sesame_sdk.partner.score_store.subscriber",
    "PartnerConfig": "sesame_sdk.partner.config",
    "Inbox": "sesame_sdk.partner.score_store.inbox",
    "SubjectIndex": "sesame_sdk.partner.score_store.table",
    "ScoreStore": "sesame_sdk.partner.score_store.store",
    "adjusted_alpha": "sesame_sdk.audit.metrics.fair_ranking",
    "fa_ir_table": "sesame_sdk.audit.metrics.fair_ranking",
    "RejectsFile": "sesame_sdk.partner.uploader",
    "SqliteStore": "sesame_sdk.delivery.sqlite_store",
    "SignalUploader": "sesame_sdk.partner.uploader",
    "UploadSummary": "sesame_sdk.partner.uploader",
    "bulk_mode": "sesame_sdk.partner.uploader",
    "print_json": "sesame_sdk.cli.console",
    "print_note": "sesame_sdk.cli.console",
    "print_rows": "sesame_sdk.cli.console",
    "progress_bar": "sesame_sdk.cli.console",
    "config_option": "sesame_sdk.cli.options",
    "json_option": "sesame_sdk.cli.options",
    "open_rejects": "sesame_sdk.cli.upload",
    "report_upload": "sesame_sdk.cli.upload",
    "upload_options": "sesame_sdk.cli.upload",
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
    "ConfigurationError",
    "ConsumerDeclaration",
    "Contribution",
    "Direction",
    "Effect",
    "Finding",
    "Grant",
    "GuardRefusedError",
    "GuardRule",
    "Inbox",
    "InvalidInputError",
    "Manifest",
    "Observation",
    "PartnerConfig",
    "Policy",
    "Pseudonymizer",
    "Ranking",
    "RateLimitedError",
    "ReadRequest",
    "RejectsFile",
    "RetryableError",
    "Score",
    "ScoreConsumer",
    "ScoreStore",
    "SesameError",
    "Signal",
    "SignalKind",
    "SignalProvider",
    "SignalUploader",
    "Signer",
    "Skipped",
    "SqliteStore",
    "StreamClient",
    "StreamSubscriber",
    "SubjectIndex",
    "Terms",
    "UploadSummary",
    "Weighting",
    "adjusted_alpha",
    "bulk_mode",
    "config_option",
    "ensure_private_file",
    "fa_ir_table",
    "hookimpl",
    "json_option",
    "load_proposal",
    "new_private_file",
    "open_rejects",
    "print_json",
    "print_note",
    "print_rows",
    "progress_bar",
    "records",
    "report_upload",
    "terminal_text",
    "upload_options",
]
