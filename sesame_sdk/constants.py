"""Limits and media types that several packages share."""

from datetime import timedelta
from typing import Final

JSON_MEDIA_TYPE: Final = "application/json"
#: Security Event Tokens, RFC 8417 section 7.2.
SET_MEDIA_TYPE: Final = "application/secevent+jwt"
#: Problem details, RFC 9457.
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

#: A token without disclosures.
MAX_TOKEN_BYTES: Final = 1024 * 1024
#: A token with its disclosures: a body of a request, after decompression.
MAX_ENVELOPE_BYTES: Final = 2 * 1024 * 1024
#: A signed registration. A plugin of 100 kinds with a reason and a title each takes about half of it.
MAX_REGISTRATION_BYTES: Final = 96 * 1024
#: In one envelope.
MAX_SIGNALS: Final = 1000
#: In one read of scores.
MAX_SUBJECTS: Final = 10_000
#: How long a token that authorizes a request is valid.
MAX_REQUEST_LIFETIME: Final = timedelta(minutes=5)
#: How long after it was signed a message is accepted for the first time. A hub keeps each ``jti`` for longer.
MAX_MESSAGE_AGE: Final = timedelta(days=365)

MAX_SUBJECT_LENGTH: Final = 128
#: An operator's own name of a person.
MAX_PERSON_LENGTH: Final = 128
MAX_KIND_LENGTH: Final = 128
MAX_URL_LENGTH: Final = 256

MAX_POINTS: Final = 1_000_000
#: A key of thousands of dots would keep the TOML parser busy for hours.
MAX_TOML_DOTS_PER_LINE: Final = 64
