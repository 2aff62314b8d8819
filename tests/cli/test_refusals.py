"""A refusal is the same object in Python, on the command line and over HTTP; the hub's log has its rules."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from examples.shell_helpers import Workspace, free_port, running_hub
from sesame_sdk import (
    ConsumerDeclaration,
    GuardRefusedError,
    Manifest,
    PartnerConfig,
    SignalKind,
)
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.score_reads import sign_read_token
from sesame_sdk.signing.jwt import sign_event
from tests.cli.conftest import POLICIES, SHOP, Run
from tests.commands import run_sesame

#: Takes the shop's orders for collected ones: no registration may say otherwise.
CONTRADICTION = ('observation = "order_kept"', 'observation = "order_collected"')
BAD = SignalKind("retail.order.pharmacy", "health", title="Orders\u2028at 薬局, \x1b[31mnot red")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A running hub that admitted the shop, and whose policy contradicts what the shop's plugin says."""
    folder = tmp_path_factory.mktemp("refusing")
    stage = Workspace(folder, f"http://127.0.0.1:{free_port()}", run_sesame)
    (folder / "policy.toml").write_text((POLICIES / "retail.toml").read_text().replace(*CONTRADICTION))
    stage.sesame("hub", "init", "hub", "--issuer", stage.url)
    stage.sesame("policy", "load", "policy.toml", "--hub", "hub")
    stage.sesame("keys", "new", "shop", "--issuer", SHOP, "--hub-url", stage.url)
    (folder / "shop.jwks").write_text(stage.sesame("keys", "show", "--config", "shop"))
    stage.sesame("partners", "add", SHOP, "--jwks", "shop.jwks", "--hub", "hub")
    with running_hub(stage):
        yield stage


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The width of the output is unknown."""
    monkeypatch.delenv("COLUMNS", raising=False)


def bad_manifest() -> Manifest:
    """What no hub takes: a kind and a purpose."""
    consumer = ConsumerDeclaration("screening", "https://w3id.org/dpv#PersonnelHiring", "retail")
    made = Manifest("sesame-bad", "1.0", "1.0", (BAD,), (consumer,))
    return Manifest(made.name, made.version, made.api, made.kinds, made.consumers, manifest_digest(made))


def signed(stage: Workspace, manifest: Manifest) -> bytes:
    """A registration by the shop."""
    config = PartnerConfig.load(stage.folder / "shop")
    return sign_event(
        EventType.REGISTRATION,
        manifest,
        config.signer,
        issuer=SHOP,
        audience=stage.url,
        now=timestamps.utc_now(),
    )


def post(stage: Workspace, token: bytes) -> requests.Response:
    """Deliver it without the SDK."""
    headers = {"Content-Type": "application/secevent+jwt"}
    return requests.post(f"{stage.url}/v1/events", data=token, headers=headers, timeout=30)


def logged(stage: Workspace) -> list[dict[str, Any]]:
    """What the hub's process logged of refusals. Its first line says in words that it answers."""
    _, *lines = (stage.folder / "hub.log").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == "request_refused"]


def rules_of(findings: tuple[Finding, ...]) -> list[str]:
    """What a log line may say of findings: the rules, and nothing that a partner wrote."""
    return [*dict.fromkeys(finding.rule for finding in findings)]


def findings_in(data: dict[str, Any]) -> tuple[Finding, ...]:
    """The findings of a problem, decoded."""
    return msgspec.convert(data["findings"], tuple[Finding, ...])


def test_a_refusal_is_one_object_in_all_places(refusing: Workspace) -> None:
    """What the hub raises, answers, and what the partner raises: equal findings, none left out of the log."""
    token = signed(refusing, bad_manifest())
    with Hub.open(refusing.folder / "hub") as hub, pytest.raises(GuardRefusedError) as raised:
        hub.receive(token)
    findings = raised.value.findings
    assert {"SPC-1", "PUR-2"} <= {finding.rule for finding in findings}

    before = len(logged(refusing))
    assert findings_in(post(refusing, token).json()) == findings
    (line,) = logged(refusing)[before:]
    assert (line["rules"], line["findings"], line["route"]) == (
        rules_of(findings),
        len(findings),
        "/v1/events",
    )

    client = Client.from_config(PartnerConfig.load(refusing.folder / "shop"))
    with pytest.raises(GuardRefusedError) as at_the_partner:
        client.register(bad_manifest())
    client.close()
    assert at_the_partner.value.findings == findings


def test_the_command_line_prints_what_the_hub_refused(refusing: Workspace) -> None:
    """As a table on stderr, or whole as JSON on stdout; exit code 3 both times, and one log line each."""
    before = len(logged(refusing))
    # An environment of Python's own: readline, which pytest imports, sets COLUMNS behind its back.
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    shown = run_sesame(refusing.folder, "registrations", "add", "--config", "shop", "retail", env=env)
    assert (shown.returncode, shown.stdout) == (3, "")
    assert [line.split()[:3] for line in shown.stderr.splitlines() if "DCL-1" in line] == [
        ["DCL-1", "policy", "retail-privileges,"]
    ]
    data = json.loads(
        refusing.sesame("registrations", "add", "--config", "shop", "retail", "--json", fails=3)
    )
    assert [finding.rule for finding in findings_in(data)] == ["DCL-1"]
    assert [line["rules"] for line in logged(refusing)[before:]] == [["DCL-1"]] * 2


def test_the_answer_is_a_problem_that_rfc_8935_knows_too(refusing: Workspace) -> None:
    """RFC 9457 members with a type for good; err and description for a sender that looks for them."""
    answer = post(refusing, signed(refusing, bad_manifest()))
    problem = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert (problem["type"], problem["status"], problem["err"]) == (
        "urn:sesame-sdk:refused",
        400,
        "access_denied",
    )
    assert problem["title"]
    assert problem["detail"] == problem["description"]


def test_a_log_line_ends_where_it_should_and_is_harmless(refusing: Workspace) -> None:
    """Whatever a plugin writes into its texts: plain ASCII, without control characters."""
    before = len(logged(refusing))
    post(refusing, signed(refusing, bad_manifest()))
    assert all(map(str.isprintable, (refusing.folder / "hub.log").read_bytes().decode("ascii").splitlines()))
    assert len(logged(refusing)) == before + 1


def test_a_forbidden_purpose_is_refused_without_naming_a_person(refusing: Workspace) -> None:
    """403 with the finding; neither the response nor the log holds the token or the subject."""
    config = PartnerConfig.load(refusing.folder / "shop")
    purpose = "https://w3id.org/dpv#PersonnelHiring"
    token = sign_read_token(
        config.signer,
        issuer=SHOP,
        audience=refusing.url,
        purpose=purpose,
        context="retail",
        now=timestamps.utc_now(),
    ).decode()
    answer = requests.post(
        f"{refusing.url}/v1/scores/read",
        json={"subjects": ["a-pseudonym-of-somebody"]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
    (finding,) = findings_in(answer.json())
    assert (finding.rule, finding.about) == ("PUR-2", f"read of retail by {SHOP}")
    log = (refusing.folder / "hub.log").read_text()
    assert logged(refusing)[-1]["rules"] == ["PUR-2"]
    for secret in ("a-pseudonym-of-somebody", token, token.rsplit(".", 1)[1]):
        assert secret not in answer.text + log
    asked = ("--config", "shop", "--purpose", purpose, "--context", "retail", "--json")
    assert findings_in(json.loads(refusing.sesame("score", "a", *asked, fails=3))) == (finding,)


def test_a_policy_and_a_hub_refuse_in_one_form(run: Run) -> None:
    """The hub and the partner print the same table and the same JSON for a refusal."""
    done = run("policy", "check", POLICIES / "refused" / "punishes_opinions.toml", "--json")
    problem = json.loads(done.out)
    assert (done.code, problem["type"]) == (3, "urn:sesame-sdk:refused")
    assert all(finding.action is Action.REFUSE for finding in findings_in(problem))
    assert "refused by the guard: " in done.err


@pytest.mark.usefixtures("wide")
def test_a_policy_that_passes_with_a_question_says_so_beside_its_table(run: Run, tmp_path: Path) -> None:
    """On stderr, with the line; stdout has what it weighs, and the exit code is 0."""
    text = (POLICIES / "retail.toml").read_text().replace("retail-privileges", "loan-library", 1)
    (tmp_path / "shop.toml").write_text(text)
    done = run("policy", "check", "shop.toml", "--json")
    (row,) = [line.split("\t") for line in done.err.splitlines() if "PUR-5" in line]
    assert (done.code, row[:2]) == (
        0,
        ["PUR-5 (review)", str(text.split("\n").index('name = "loan-library"') + 1)],
    )
    assert isinstance(json.loads(done.out), list)


@pytest.mark.usefixtures("wide")
def test_in_a_pipe_each_finding_is_a_line(run: Run) -> None:
    """For grep and cut: no colour, nothing folded, one tab between columns."""
    done = run("policy", "check", POLICIES / "refused" / "punishes_opinions.toml")
    _, header, *rows = [line.split("\t") for line in done.err.splitlines()]
    assert header == ["rule", "line", "about", "reason", "hint", "source"]
    assert [row[0] for row in rows] == ["POL-1", "POL-1"]
    assert {len(row) for row in rows} == {len(header)}
    assert "\x1b" not in done.err


def test_colour_says_what_words_say_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red where there are colours, and the same words without."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    done = run("policy", "check", POLICIES / "refused" / "punishes_opinions.toml")
    assert "\x1b[1;31mPOL-1" in done.err
