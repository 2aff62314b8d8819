"""Reading scores: questions in pieces that a hub takes, answers decoded strictly.

Always by POST, for one subject too: pseudonyms do not belong in URLs, which end up in logs.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from attrs import frozen

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_SUBJECTS
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.codec import encode
from sesame_sdk.model.score import Score

SCORES_PATH = "/v1/scores/read"


@frozen
class _Scores:
    scores: dict[str, Score | None]


_answer = codec.decoder(_Scores)


def read_scores(
    transport: Transport, subjects: Sequence[str], bearer: Callable[[], bytes]
) -> dict[str, Score | None]:
    """A score or None for each subject, in the order asked.

    Args:
        transport: the way to the hub.
        subjects: the reader's own pseudonyms, any number; asked in pieces of `MAX_SUBJECTS`.
        bearer: signs a fresh read token.

    Raises:
        InvalidInputError: the hub refused, or did not answer for exactly the subjects asked.
        RetryableError, ConfigurationError: see `Transport.post`.
    """
    found: dict[str, Score | None] = {}
    for piece in _pieces(list(dict.fromkeys(subjects))):
        answer = transport.post(
            SCORES_PATH,
            encode({"subjects": piece}),
            content_type=JSON_MEDIA_TYPE,
            accept=JSON_MEDIA_TYPE,
            bearer=bearer,
        )
        found |= _checked(answer.body, piece)
    return found


def _pieces(subjects: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(subjects), MAX_SUBJECTS):
        yield subjects[start : start + MAX_SUBJECTS]


def _checked(body: bytes, asked: list[str]) -> dict[str, Score | None]:
    try:
        scores = _answer.decode(body).scores
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidInputError) as error:
        raise InvalidInputError(
            f"the hub's answer is not scores: {error}", field="scores", code="invalid_answer"
        ) from error
    if scores.keys() != set(asked):
        raise InvalidInputError(
            "the hub did not answer for exactly the subjects asked", field="scores", code="invalid_answer"
        )
    return {subject: scores[subject] for subject in asked}
