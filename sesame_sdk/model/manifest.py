"""Parties and what they tell each other about themselves."""

from attrs import field, frozen, validators

from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms

#: The hook API that this SDK speaks. A plugin written for another major version is refused by name.
API_VERSION = "1.0"
#: Kinds, and consumers, that one plugin declares at most: a hub's guard reads every word of them.
MAX_DECLARATIONS = 100


@frozen
class ConsumerDeclaration:
    """What a score consumer says of itself before it may read.

    Attributes:
        name: the consumer's name within its plugin.
        purpose: IRI of why it reads (W3C DPV or one of our own terms).
        context: whose policy it asks for.
        terms: on what terms: who sees the score, what follows from it. The default is what the guard
            lets pass, but for a ranking, which must say how it ranks (rule MAT-1).
    """

    name: str = field(validator=model_validators.text(64))
    purpose: str = field(validator=model_validators.text(256))
    context: str = field(validator=model_validators.context)
    terms: Terms = field(factory=Terms, validator=validators.instance_of(Terms))


@frozen
class Manifest:
    """What a plugin is, as its partner signs it when joining a hub.

    Attributes:
        name: distribution name: ``sesame-retail``.
        version: distribution version.
        api: hook API version that it was written for.
        kinds: what it may say; at most `MOST`.
        consumers: why it reads; at most `MOST`.
        digest: SHA-256 over the canonical JSON of all the above, base64url; see `codec.manifest_digest`.
    """

    name: str = field(
        validator=model_validators.text(64, pattern=r"[a-z0-9][a-z0-9._-]*", example="sesame-retail")
    )
    version: str = field(validator=model_validators.text(32))
    api: str = field(validator=model_validators.text(8, pattern=r"\d+\.\d+", example=API_VERSION))
    kinds: tuple[SignalKind, ...] = field(
        default=(), validator=model_validators.tuple_of(SignalKind, max_items=MAX_DECLARATIONS)
    )
    consumers: tuple[ConsumerDeclaration, ...] = field(
        default=(), validator=model_validators.tuple_of(ConsumerDeclaration, max_items=MAX_DECLARATIONS)
    )
    digest: str = ""


@frozen
class Party:
    """Whoever holds a key: a partner or a hub.

    Attributes:
        issuer: URL that names it in ``iss`` and ``aud``.
        jwks: its public keys as a JWK Set (RFC 7517 section 5), JSON-shaped.
    """

    issuer: str = field(validator=model_validators.url)
    jwks: dict[str, list[dict[str, str]]] = field(factory=lambda: {"keys": []})
