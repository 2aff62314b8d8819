"""Parties, and the declarations of their plugins."""

from attrs import field, frozen, validators

from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms

#: The hook API of this SDK. A plugin written for another major version is refused.
API_VERSION = "1.0"
#: Kinds, and consumers, of one plugin: a hub's guard checks every word of them.
MAX_DECLARATIONS = 100


@frozen
class ConsumerDeclaration:
    """The declaration of a score consumer, required to read scores.

    Attributes:
        name: the consumer's name within its plugin.
        purpose: IRI of the purpose (W3C DPV or one of our own terms).
        context: of the scores.
        terms: visibility and effects of the score. The guard accepts the default, except for a ranking, which
            must declare how it ranks (rule MAT-1).
    """

    name: str = field(validator=model_validators.text(64))
    purpose: str = field(validator=model_validators.text(256))
    context: str = field(validator=model_validators.context)
    terms: Terms = field(factory=Terms, validator=validators.instance_of(Terms))


@frozen
class Manifest:
    """The declarations of a plugin, which its partner signs to register at a hub.

    Attributes:
        name: distribution name: ``sesame-retail``.
        version: distribution version.
        api: hook API version that it was written for.
        kinds: the kinds that it sends; at most `MAX_DECLARATIONS`.
        consumers: its score consumers; at most `MAX_DECLARATIONS`.
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
    """A holder of keys: a partner or a hub.

    Attributes:
        issuer: its URL in ``iss`` and ``aud``.
        jwks: its public keys as a JWK Set (RFC 7517 section 5), JSON-shaped.
    """

    issuer: str = field(validator=model_validators.url)
    jwks: dict[str, list[dict[str, str]]] = field(factory=lambda: {"keys": []})
