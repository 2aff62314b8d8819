"""Parties, and the declarations of their plugins."""

from attrs import field, frozen

from sesame_sdk.model import validators
from sesame_sdk.model.issuers import normalize_issuer
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
        purpose: IRI of the purpose (W3C DPV or one of our own terms).
        terms: visibility and effects of the score. The guard accepts the default, except for a ranking, which
            must declare how it ranks (rule MAT-1).
    """

    name: str = field(validator=validators.text(64))
    purpose: str = field(validator=validators.text(256))
    context: str = field(validator=validators.context)
    terms: Terms = field(factory=Terms, validator=validators.instance_of(Terms))


@frozen
class Manifest:
    """The declarations of a plugin, which its partner signs to register at a hub.

    Attributes:
        name: distribution name: ``sesame-retail``.
        digest: SHA-256 over the RFC 8785 JSON of all the above, base64url; see `codec.manifest_digest`.
    """

    name: str = field(validator=validators.text(64, pattern=r"[a-z0-9][a-z0-9._-]*", example="sesame-retail"))
    version: str = field(validator=validators.text(32))
    api: str = field(validator=validators.text(8, pattern=r"\d+\.\d+", example=API_VERSION))
    kinds: tuple[SignalKind, ...] = field(
        default=(), validator=validators.tuple_of(SignalKind, MAX_DECLARATIONS)
    )
    consumers: tuple[ConsumerDeclaration, ...] = field(
        default=(), validator=validators.tuple_of(ConsumerDeclaration, MAX_DECLARATIONS)
    )
    digest: str = ""


@frozen
class Party:
    """A holder of keys, a partner or a hub, with its public keys as a JWK Set (RFC 7517 section 5)."""

    issuer: str = field(converter=normalize_issuer, validator=validators.url)
    jwks: dict[str, list[dict[str, str]]] = field(factory=lambda: {"keys": []})
