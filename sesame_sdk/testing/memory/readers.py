"""Who may read: tokens of readers, each for one purpose in one context, and good once."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from attrs import define, field, frozen

from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.purposes import refusing_rule
from sesame_sdk.model import codec, validators
from sesame_sdk.model.grant import Reading
from sesame_sdk.model.policy import Policy
from sesame_sdk.signing.jwt import LEEWAY, READ_TYP, KeyFinder, Token
from sesame_sdk.testing.memory.registered import Registered

MOST_SUBJECTS = 10_000
LONGEST_LIFE = timedelta(minutes=5)


@frozen
class _Claims:
    exp: float
    purpose: str = field(validator=validators.iri)
    context: str = field(validator=validators.context)


@frozen
class Request:
    """A reader's wish, believed: who, by which token until when, why, which score, at what moment."""

    issuer: str
    jti: str
    purpose: str
    context: str
    expires_at: datetime
    at: datetime

    @property
    def reading(self) -> Reading:
        """What the guard is asked before anybody's consent is looked at."""
        return Reading(self.issuer, self.purpose, self.context, self.at, None)


@define
class Readers:
    """Remembers used tokens for as long as they could be believed."""

    _used: dict[tuple[str, str], datetime] = field(factory=dict)

    def believe(self, token: bytes, keys: KeyFinder, audience: str, now: datetime) -> Request:
        """Believe a read token.

        Raises:
            InvalidInputError: see `Token.verify`; or it lives too long, or lacks purpose
                or context.
        """
        try:
            verified = Token.parse(token).verify(keys, typ=READ_TYP, audience=audience, now=now)
            claims = codec.decode(verified.claims, _Claims)
            ends = _checked_end(claims, verified.issued_at)
        except InvalidInputError as error:
            if error.code == "invalid_request":
                error.code = "authentication_failed"
            raise
        return Request(verified.issuer, verified.jti, claims.purpose, claims.context, ends, now)

    def use_up(self, request: Request) -> None:
        """Mark a token as used.

        Raises:
            InvalidInputError: it was used before.
        """
        oldest = request.at - LEEWAY
        self._used = {token: ends for token, ends in self._used.items() if ends >= oldest}
        if (request.issuer, request.jti) in self._used:
            raise InvalidInputError(
                "was used before",
                field="jti",
                hint="sign a token for each read",
                code="authentication_failed",
            )
        self._used[request.issuer, request.jti] = request.expires_at


def _checked_end(claims: _Claims, issued_at: datetime) -> datetime:
    ends = datetime.fromtimestamp(claims.exp, UTC)
    if ends - issued_at > LONGEST_LIFE:
        raise InvalidInputError("lives too long", field="exp", hint="sign one for each read")
    return ends


def admit(
    request: Request,
    subjects: Collection[str],
    registered: Registered,
    policy: Policy | None,
    guard: Guard,
) -> Policy:
    """The policy of the score, if the reader may read it at all.

    Raises:
        InvalidInputError: too many subjects or none; or it may not.
        GuardRefusedError: nobody may read for this purpose.
    """
    if not 1 <= len(subjects) <= MOST_SUBJECTS:
        raise InvalidInputError(f"must be 1 to {MOST_SUBJECTS}, not {len(subjects)}", field="subjects")
    if (rule := refusing_rule(request.purpose)) is not None:
        findings = [finding for finding in guard.read(request.reading) if finding.rule == rule]
        raise GuardRefusedError(str(findings[0]), findings)
    if not registered.may_read(request.issuer, request.purpose, request.context):
        raise InvalidInputError(
            "is not one that you registered for this context", field="purpose", code="access_denied"
        )
    if policy is None:
        raise InvalidInputError("has no policy here, hence no score", field="context", code="access_denied")
    if request.purpose not in policy.purposes:
        raise InvalidInputError(
            "is not what this context's score is for", field="purpose", code="access_denied"
        )
    return policy
