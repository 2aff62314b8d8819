"""``sesame doctor``: one cause is one red row, and what is only worth a look is a note."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from examples.shell_helpers import Workspace
from sesame_sdk import PartnerConfig
from sesame_sdk.delivery.messages import Failed
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.hub.own_keys import NEXT_KEY_FILE
from sesame_sdk.partner.config import NEXT_KEY
from sesame_sdk.signing.keys import SigningKey
from tests.cli.conftest import Type, data
from tests.commands import run_sesame

pytestmark = pytest.mark.long

UNREACHABLE = "http://127.0.0.1:9"


def ask(folder: Path, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the rows by what they are about."""
    done = run_sesame(folder, *words, "--json")
    return done.returncode, {row["check"]: row for row in data(done.stdout)}


def red(rows: dict[str, dict[str, Any]]) -> list[str]:
    """The rows that are not well."""
    return [what for what, row in rows.items() if not row["ok"]]


def test_a_set_up_that_works_has_no_red_row(workspace: Workspace) -> None:
    """The hub was asked for its keys, and its partners and policies are counted."""
    code, rows = ask(workspace.folder, "doctor", "--config", "shop", "--hub", "hub")
    assert (code, red(rows)) == (0, [])
    assert "1 trusted key(s)" in rows["hub response"]["detail"]
    assert (rows["partners"]["detail"], rows["policies"]["detail"]) == ("2", "2")


def test_a_folder_that_is_not_there_is_one_red_row(tmp_path: Path) -> None:
    """Without a configured hub, no request is sent."""
    code, rows = ask(tmp_path, "doctor", "--config", "nowhere")
    assert (code, red(rows)) == (2, ["partner directory"])
    assert "hub response" not in rows


def test_a_hub_that_is_away_is_no_fault_of_the_folder(sesame: Type, tmp_path: Path) -> None:
    """Two rows, one of them red."""
    sesame("keys", "new", "shop", "--issuer", "https://shop.example", "--hub-url", UNREACHABLE)
    code, rows = ask(tmp_path, "doctor", "--config", "shop")
    assert (code, red(rows)) == (2, ["hub response"])
    assert rows["partner directory"]["ok"]


def test_a_dead_letter_is_red_and_a_pending_message_is_a_note(workspace: Workspace) -> None:
    """The first needs somebody to look, and the row says how; the second needs only another try."""
    workspace.sesame("keys", "new", "lazy", "--issuer", "https://lazy.example", "--hub-url", workspace.url)
    with closing(Outbox(PartnerConfig.load(workspace.folder / "lazy").outbox)) as outbox:
        outbox.append("one", "kind", b"body")
        outbox.append("two", "kind", b"body")
        code, rows = ask(workspace.folder, "doctor", "--config", "lazy")
        assert (code, red(rows)) == (0, [])
        assert rows["outbox"]["detail"].startswith("note: 2 pending")
        outbox.record_outcomes(failed=[Failed(outbox.fetch_pending()[0], "invalid_request", "because")])
    code, rows = ask(workspace.folder, "doctor", "--config", "lazy")
    assert (code, red(rows)) == (2, ["dead letters"])
    assert "sesame outbox list --config lazy" in rows["dead letters"]["detail"]


def test_a_rotation_that_was_interrupted_is_a_note(workspace: Workspace) -> None:
    """Of the partner's key and of the hub's. The command in the note goes on with it."""
    workspace.sesame("keys", "new", "late", "--issuer", "https://late.example", "--hub-url", workspace.url)
    late = PartnerConfig.load(workspace.folder / "late").signer.public_jwk
    (workspace.folder / "late.jwks").write_text(json.dumps({"keys": [late]}))
    workspace.sesame("partners", "add", "https://late.example", "--jwks", "late.jwks", "--hub", "hub")
    _, rows = ask(workspace.folder, "doctor", "--config", "late")
    assert rows["key rotation"]["detail"] == "none pending"
    for folder, next_key, command in (
        ("late", NEXT_KEY, ("keys", "rotate", "--config", "late")),
        ("hub", NEXT_KEY_FILE, ("hub", "keys", "rotate", "--hub", "hub")),
    ):
        following = SigningKey.generate()
        following.save(workspace.folder / folder / next_key)
        checked = ("doctor", command[-2], command[-1])
        code, rows = ask(workspace.folder, *checked)
        assert (code, red(rows)) == (0, [])
        note = f"note: {following.kid} is not in force yet; go on: sesame {' '.join(command)}"
        assert rows["key rotation"]["detail"] == note
        workspace.sesame(*command)
        assert ask(workspace.folder, *checked)[1]["key rotation"]["detail"] == "none pending"


def test_a_plugin_out_of_use_is_a_note_unless_it_was_asked_about(tmp_path: Path) -> None:
    """Most people block a plugin because they do not need it."""
    code, rows = ask(tmp_path, "--exclude-plugin", "baihe", "doctor")
    assert (code, red(rows)) == (0, [])
    assert rows["plugin baihe"]["detail"].startswith("note: blocked")
    code, rows = ask(tmp_path, "--exclude-plugin", "baihe", "doctor", "--plugin", "baihe", "--plugin", "none")
    assert (code, red(rows)) == (2, ["plugin baihe", "plugin none"])


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        pytest.param(".", 0o755, id="the folder"),
        pytest.param("signing.jwk", 0o644, id="the key"),
    ],
)
def test_a_hub_that_is_open_to_others_is_red(sesame: Type, tmp_path: Path, what: str, mode: int) -> None:
    """A readable signing key is an error: it signs in the hub's name."""
    sesame("hub", "init", "hub", "--issuer", UNREACHABLE)
    code, rows = ask(tmp_path, "doctor", "--hub", "hub")
    assert (code, red(rows)) == (0, [])
    assert rows["policies"]["detail"].startswith("note: none")
    (tmp_path / "hub" / what).chmod(mode)
    code, rows = ask(tmp_path, "doctor", "--hub", "hub")
    assert (code, red(rows)) == (2, ["hub directory"])
    assert "chmod" in rows["hub directory"]["detail"]
