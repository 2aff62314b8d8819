"""The guard's refusals over HTTP and in the log.

Rules:
    * the answer is ``application/problem+json`` (RFC 9457), with every finding as it is in Python; ``err``
      and ``description`` stand in it too, for senders that know RFC 8935 alone
    * each refusal is one log line, in ASCII, so that nothing in a finding can end the line early
    * neither holds a pseudonym, a token or a value: findings speak of kinds, policies and readers
"""

import json
import logging
from typing import Any

import msgspec
from litestar import Request, Response

from sesame_sdk.errors import Refused
from sesame_sdk.model import codec
from sesame_sdk.model.problem import MEDIA_TYPE, problem

log = logging.getLogger("sesame_sdk.hub.refusals")

#: A plugin with a hundred bad kinds is told of them all; an operator's log needs no more than these.
MOST_LOGGED = 20


def refusal(request: Request[Any, Any, Any], error: Refused, status: int) -> Response[bytes]:
    """The answer to a request that the guard refused; also writes its log line."""
    _log(request.scope.get("path_template") or "(none)", error, status)
    said = problem(error, status=status, err=error.code, description=str(error))
    return Response(codec.encode(said), status_code=status, media_type=MEDIA_TYPE)


def _log(route: str, error: Refused, status: int) -> None:
    findings = error.findings[:MOST_LOGGED]
    line = {"refused": route, "status": status, "of": len(error.findings), "findings": findings}
    log.warning(json.dumps(msgspec.to_builtins(line)))
