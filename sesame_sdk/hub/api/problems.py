"""The guard's refusals over HTTP and in the log.

Rules:
    * the answer is ``application/problem+json`` (RFC 9457), with every finding as it is in Python; ``err``
      and ``description`` stand in it too, for senders that know RFC 8935 alone
    * each refusal is one log line with the ids of its rules: what a finding is about, a partner wrote
    * neither holds a pseudonym, a token or a value: findings speak of kinds, policies and readers
"""

from typing import Any

from litestar import Request, Response

from sesame_sdk.constants import PROBLEM_MEDIA_TYPE
from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.hub.observability import log_events, metrics, safe_values
from sesame_sdk.hub.observability.structured_log import say
from sesame_sdk.model import codec
from sesame_sdk.model.problem_details import problem

#: A plugin with a hundred bad kinds is told of them all; an operator's log needs no more than these.
MOST_LOGGED = 20


def refusal(request: Request[Any, Any, Any], error: GuardRefusedError, status: int) -> Response[bytes]:
    """The answer to a request that the guard refused; also writes its log line."""
    rules = tuple(dict.fromkeys(safe_values.rule(finding.rule) for finding in error.findings))
    say(
        log_events.Refused(safe_values.route(request.scope), status, len(error.findings), rules[:MOST_LOGGED])
    )
    metrics.refused(error.code)
    said = problem(error, status=status, err=error.code, description=str(error))
    return Response(codec.encode(said), status_code=status, media_type=PROBLEM_MEDIA_TYPE)
