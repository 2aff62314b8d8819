"""A partner as a reader: it requests scores and receives them from a stream, over HTTP."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import requests
from attrs import define, field

from sesame_sdk.hub.database import timestamps
from sesame_sdk.model import codec
from sesame_sdk.partner.score_reads import sign_read_token, sign_stream_token
from sesame_sdk.signing.jwt import SET_TYP, Token
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from tests.faults.fixture_population import PEOPLE, PSEUDONYMIZER, SHOP
from tests.hub.fixtures import BENEFITS, LONG_AGO


@define
class Reader:
    """One reader of a hub.

    Attributes:
        url: where the hub is.
        issuer: what it calls itself.
        key: the reader's.
        clock: the reader's.
        party: its issuer.
        stream: the name of its stream, once it has one.
        points: the last streamed points of each person; None for a person who left or has no score.
        numbers: the sequence number of each person's last state.
    """

    url: str
    issuer: str
    key: SigningKey
    clock: Callable[[], datetime] = timestamps.utc_now
    party: str = SHOP
    stream: str = ""
    points: dict[str, float | None] = field(factory=dict)
    numbers: dict[str, int] = field(factory=dict)
    _names: dict[str, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._names = {PSEUDONYMIZER.pseudonym(f"{self.party}/{person}"): person for person in PEOPLE}

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """One request, with a token of its own."""
        headers = {"Authorization": self.bearer(path)}
        return requests.request(method, self.url + path, json=body, headers=headers, timeout=60)

    def bearer(self, path: str = "/v1/scores/read") -> str:
        """The header value of a request to this path."""
        sign = sign_stream_token if path.startswith("/v1/ssf/") else sign_read_token
        claims = {"issuer": self.party, "audience": self.issuer, "purpose": BENEFITS, "context": "retail"}
        return f"Bearer {sign(self.key, now=self.clock(), **claims).decode()}"

    def subscribe(self, **delivery: str) -> None:
        """Make the stream: polled, unless a way to push by is given."""
        answer = self.ask("POST", "/v1/ssf/stream", {"delivery": delivery} if delivery else {})
        assert answer.status_code == 201, answer.text
        self.stream = answer.json()["stream_id"]

    def score(self, person: str) -> requests.Response:
        """Read one."""
        subject = PSEUDONYMIZER.pseudonym(f"{self.party}/{person}")
        return self.ask("GET", f"/v1/scores/{subject}")

    def take(self) -> None:
        """All that waits in the stream, acknowledged."""
        messages = self.poll()
        while messages:
            for token in messages.values():
                self.hear(token.encode())
            messages = self.poll(*messages)

    def hear(self, token: bytes) -> None:
        """One message, proved."""
        keys = requests.get(f"{self.url}/.well-known/jwks.json", timeout=60).json()["keys"]
        trust = Trust({self.issuer: [TrustedKey(key, LONG_AGO) for key in keys]})
        verified = Token.parse(token).verify(trust, typ=SET_TYP, audience=self.party, now=self.clock())
        claims: dict[str, Any] = codec.decode(verified.claims, dict)
        ((_, event),) = claims["events"].items()
        for change in event.get("changes", ()):
            self._note(change["sub_id"]["id"], change["seq"], change["points"])
        if "seq" in event:
            self._note(claims["sub_id"]["id"], event["seq"], None)

    def _note(self, subject: str, number: int, points: float | None) -> None:
        """A number may only grow; the same state may arrive again in another message."""
        person = self._names.setdefault(subject, subject)
        last = self.numbers.get(person, 0)
        assert number > last or (number, points) == (last, self.points[person])
        self.points[person], self.numbers[person] = points, number

    def poll(self, *done: str) -> dict[str, str]:
        """Messages by ``jti``; those that are named are acknowledged."""
        answer = self.ask("POST", f"/v1/ssf/poll/{self.stream}", {"returnImmediately": True, "ack": done})
        assert answer.status_code == 200, answer.text
        sets: dict[str, str] = answer.json()["sets"]
        return sets
