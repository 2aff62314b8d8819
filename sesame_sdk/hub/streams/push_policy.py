"""Where a hub may push to, so that no reader can make it send requests elsewhere (SSRF).

Rules:
    * an endpoint has scheme and host of the issuer that the operator admitted, and its port, or one of the
      operator's ``push_ports``; plain http is for this machine only
    * the address that is connected to is public, or in one of the operator's ``push_networks``. It is checked
      after the name was resolved, and the connection is made to that very address: a name that resolves to
      another address later (DNS rebinding) changes nothing
    * an address that contains an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by that one too
"""

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from attrs import frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.settings import Settings, parse_networks, parse_ports

#: RFC 6052 and 8215 (NAT64), and the IPv4-compatible addresses of RFC 4291: the last 32 bits are IPv4.
_EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
_DEFAULT_PORTS = {"https": 443, "http": 80}
_FIELD = "endpoint_url"


@frozen
class PushPolicy:
    """What an operator allows besides public addresses and the ports of issuers."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ports: frozenset[int] = frozenset()

    @classmethod
    def from_settings(cls, settings: Settings) -> "PushPolicy":
        """The policy of a hub."""
        return cls(parse_networks(settings.push_networks), parse_ports(settings.push_ports))

    def check_endpoint(self, endpoint: str, issuer: str) -> None:
        """Check an endpoint without resolving its name.

        Raises:
            InvalidInputError: it is no URL that the hub may push to for this issuer.
        """
        parts, own = _split(endpoint), _split(issuer)
        if parts is None or own is None or (parts.scheme, parts.hostname) != (own.scheme, own.hostname):
            hint = "push to your own host, or poll"
            raise InvalidInputError("must be on the host of your issuer", field=_FIELD, hint=hint)
        address, port = _literal(parts.hostname or ""), _port(parts)
        if port is None:
            raise InvalidInputError("has an invalid port", field=_FIELD, hint="a port is from 1 to 65535")
        if port != _port(own) and port not in self.ports:
            hint = "use that port, or ask the operator to allow yours (push_ports)"
            raise InvalidInputError("must be on the port of your issuer", field=_FIELD, hint=hint)
        is_local = parts.hostname == "localhost" or (address is not None and address.is_loopback)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
            raise InvalidInputError("must be an https URL", field=_FIELD, hint="push with https, or poll")
        if address is not None and not self.allows(address):
            hint = "use a public address, or ask the operator to allow yours (push_networks)"
            raise InvalidInputError("is not a public address", field=_FIELD, hint=hint)

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether the hub may connect to an address."""
        forms = _forms(address)
        allowed = any(form in network for form in forms for network in self.networks)
        return allowed or all(form.is_global and not form.is_multicast for form in forms)


def _forms(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """An address, and those that it contains; a mapped one is nothing but what it contains."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    embedded = [address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _EMBEDDING):
        embedded.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in embedded if one is not None)]


def _split(url: str) -> SplitResult | None:
    """The parts of a URL without user and fragment; None if it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_plain = re.fullmatch(r"[!-~]+", url) and parts.hostname
    return parts if is_plain and parts.username is None and not parts.fragment else None


def _port(parts: SplitResult) -> int | None:
    try:
        port = _DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:  # above 65535, or no number
        return None
    return port or None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
