"""What operators type: hubs, partners' keys, policies; and a partner's outbox when things go wrong."""

import json
from pathlib import Path

import pytest

from examples.shell_helpers import Workspace
from sesame_sdk import PartnerConfig
from tests.cli.conftest import ORDERS, POLICIES, SHOP, Run, agree, data
from tests.commands import run_sesame
from tests.hub.ledger import change

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        pytest.param("", "must name a directory", id="no name at all"),
        pytest.param("in the way", "cannot create folder", id="a file in the way"),
        pytest.param("in the way/hub", "cannot create folder", id="a file on the way"),
        pytest.param("taken", "is not empty", id="a folder with other things"),
    ],
)
def test_a_hub_that_cannot_be_created_is_an_error(run: Run, tmp_path: Path, folder: str, says: str) -> None:
    """Exit code 2, and what is there stays as it is."""
    (tmp_path / "in the way").touch()
    (tmp_path / "taken").mkdir(mode=0o755)
    (tmp_path / "taken" / "thing").touch()
    done = run("hub", "init", folder, "--issuer", "http://127.0.0.1:9")
    assert (done.code, says in done.err) == (2, True), done.err
    assert (tmp_path / "taken").stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "hub.toml").exists()


def test_a_name_with_blanks_can_be_copied_from_the_output(run: Run) -> None:
    """What comes next is quoted for the shell."""
    assert "--hub 'our hub'" in run("hub", "init", "our hub", "--issuer", "http://127.0.0.1:9").err
    new = run("keys", "new", "a shop", "--issuer", SHOP, "--hub-url", "http://127.0.0.1:9")
    assert "--config 'a shop'" in new.err


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(b"nonsense", id="no JSON"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 60_000, id="a well without a bottom"),
        pytest.param(None, id="a single key"),
    ],
)
def test_an_invalid_key_set_is_an_error_that_names_the_file(
    run: Run, hub: Path, tmp_path: Path, wrong: bytes | None
) -> None:
    """And how to get a set."""
    key = json.loads((tmp_path / "shop.jwks").read_text())["keys"][0]
    (tmp_path / "wrong.jwks").write_bytes(wrong or json.dumps(key).encode())
    done = run("partners", "add", "https://other.example", "--jwks", "wrong.jwks", "--hub", hub)
    assert done.code == 4
    assert "wrong.jwks" in done.err
    assert "use: sesame keys show" in done.err


def test_a_revoked_key_is_gone_from_the_list(run: Run, hub: Path) -> None:
    """A timestamp without a time zone, or a key that is not there, revokes nothing."""
    kid = PartnerConfig.load(hub.parent / "shop").signer.kid
    revoke = ("partners", "revoke-key", "--hub", hub)
    for text in ("2026-05-01", "2026-05-01T10:00:00", "yesterday", "1780315200", ""):
        wrong = run(*revoke, "--since", text or " ", "--", kid)
        assert (wrong.code, "--since: is not a timestamp with a time zone" in wrong.err) == (4, True)
    assert "is not a key of any partner" in run(*revoke, "--", "nonsense").err
    looked = run(*revoke, "--since", "2026-05-01T10:00:00Z", "--dry-run", "--json", "--", kid)
    assert (data(looked.out)["issuer"], data(looked.out)["envelopes"]) == (SHOP, 0)
    assert "nothing changed" in looked.err
    assert data(run("partners", "list", "--hub", hub, "--json").out)[0]["keys"] == [kid]
    done = run(*revoke, "--since", "2026-05-01T10:00:00+02:00", "--", kid)
    assert "signals that no longer count" in done.out
    assert f"revoked {kid} of {SHOP} since 2026-05-01 08:00:00 UTC" in done.err
    assert data(run("partners", "list", "--hub", hub, "--json").out)[0]["keys"] == []


def test_a_partner_is_limited_as_the_operator_says(run: Run, hub: Path) -> None:
    """Shown, set, taken away and set back to what hub.toml says; what does not go together is refused."""
    limit = ("partners", "limit", "--hub", hub, "--json", SHOP)
    limits = [
        data(run(*limit, *options).out)[0]
        for options in ((), ("--rate", "5"), ("--burst", "7"), ("--unlimited",), ("--default",))
    ]
    assert [(row["rate"], row["burst"]) for row in limits] == [
        *((10_000, 1_000_000), (5, 1_000_000), (5, 7), (None, None), (10_000, 1_000_000))
    ]
    assert run(*limit, "--rate", "5", "--unlimited").code == 2
    assert run(*limit, "--rate", "0").code == 2
    assert (
        "not a partner of this hub" in run("partners", "limit", "--hub", hub, "https://unknown.example").err
    )


def test_loaded_policies_are_listed_by_context(run: Run, hub: Path) -> None:
    """None at first."""
    assert "sesame policy load" in run("policy", "list", "--hub", hub).err
    run("policy", "load", POLICIES / "retail.toml", "--hub", hub)
    (row,) = data(run("policy", "list", "--hub", hub, "--json").out)
    assert row["context"] == "retail"
    assert "retail.order.completed" in row["kinds"]


def test_what_waits_for_a_dead_hub_is_a_reason_to_try_again(run: Run, tmp_path: Path) -> None:
    """Exit code 5, from posting and from delivering; nothing is lost."""
    run("keys", "new", "shop", "--issuer", SHOP, "--hub-url", "http://127.0.0.1:9")
    (tmp_path / "orders.csv").write_text(ORDERS)
    assert run("post", "orders.csv", "--config", "shop", "--provider", "retail").code == 5
    assert run("outbox", "deliver", "--config", "shop").code == 5
    (row,) = data(run("outbox", "list", "--config", "shop", "--json").out)
    assert (row["state"], row["signals"], row["code"]) == ("pending", 7, None)


def test_dead_letters_are_listed_sent_again_or_given_up(
    workspace: Workspace, run: Run, tmp_path: Path
) -> None:
    """The hub did not know this shop at first."""
    late, orders, at_hub = (
        "https://late.example",
        tmp_path / "orders.csv",
        ("--hub", workspace.folder / "hub"),
    )
    orders.write_text(ORDERS)
    run("keys", "new", "late", "--issuer", late, "--hub-url", workspace.url)
    post, listed = (
        ("post", orders, "--config", "late", "--provider", "retail"),
        ("outbox", "list", "--config", "late"),
    )
    run(*post)
    (row,) = data(run(*listed, "--json").out)
    assert (row["state"], row["signals"], row["code"]) == ("dead_lettered", 7, "invalid_issuer")
    assert row["reason"]
    on_late, number = ("--config", "late"), row["id"]
    (shown,) = [data(run("outbox", "show", number, "--json", *on_late).out)]
    assert (shown["state"], shown["code"], shown["issuer"]) == ("dead_lettered", "invalid_issuer", late)
    assert sum(shown["kinds"].values()) == 7
    assert "retail.order.completed" in run("outbox", "show", number, *on_late).out
    assert run("outbox", "show", 99, *on_late).code == 4
    assert run("outbox", "discard", *on_late).code == 2  # neither an id nor --all
    assert run("outbox", "discard", number, "--all", *on_late).code == 2
    for words in (("redrive", 99), ("discard", 99, "--yes"), ("redrive", number, 99)):
        refused = run("outbox", *words, *on_late)
        assert (refused.code, "99 is not a dead letter" in refused.err) == (4, True)
    asked = run("outbox", "discard", "--all", *on_late)  # its input is at an end
    assert (bool(asked.code), "Delete 1 dead letter(s) with 7 signal(s)?" in asked.err) == (True, True)
    assert len(data(run(*listed, "--json").out)) == 1
    assert run("outbox", "discard", number, "--yes", *on_late).err == "deleted 1 dead letter(s)\n"
    assert "no dead letters" in run(*listed).err
    run(*post)
    (tmp_path / "late.jwks").write_text(run("keys", "show", "--config", "late").out)
    run("partners", "add", late, "--jwks", "late.jwks", *at_hub)
    assert "queued 1 dead letter(s) again" in run("outbox", "redrive", "--config", "late").err
    assert run("outbox", "deliver", "--config", "late").code == 0
    (receipt,) = data(run("receipts", "list", "--config", "late", "--json").out)
    assert (receipt["accepted"], receipt["dropped"]) == (0, 7)
    assert receipt["reasons"] == ["kind_not_registered"]


def test_a_hub_can_be_rebuilt_and_its_scores_stay(workspace: Workspace, run: Run) -> None:
    """From the ledger, while it serves."""
    agree(workspace, "ada")
    workspace.sesame("post", "orders.csv", "--config", "shop", "--provider", "retail")
    explain = ("explain", "ada", "--context", "retail", "--hub", "hub", "--json")
    before = data(workspace.sesame(*explain))["score"]
    hub = ("--hub", workspace.folder / "hub")
    assert "4 signal(s), 0 difference(s)" in run("hub", "rebuild", *hub).err
    change(workspace.folder / "hub", "UPDATE signals SET value = 999")
    assert run("hub", "verify", "--quick", *hub).code == 0
    verified = run("hub", "verify", "--json", *hub)
    assert verified.code == 4
    assert {one["check"] for one in data(verified.out)["differences"]} == {"signals"}
    assert "differ from the signals of this envelope" in run("hub", "verify", *hub).out
    rebuilt = run("hub", "rebuild", *hub)
    assert (rebuilt.code, "differ from the signals of this envelope" in rebuilt.out) == (0, True)
    assert run("hub", "verify", *hub).code == 0
    assert data(workspace.sesame(*explain))["score"] == before


def test_the_hub_s_new_keys_are_believed_only_after_a_yes(workspace: Workspace) -> None:
    """Without a terminal there is no confirmation."""
    asked = run_sesame(workspace.folder, "keys", "trust", "--config", "shop")
    assert asked.returncode == 130
    assert "operator" in asked.stderr
    done = run_sesame(workspace.folder, "keys", "trust", "--config", "shop", "--yes")
    assert (done.returncode, "1 key(s)" in done.stderr) == (0, True), done.stderr
