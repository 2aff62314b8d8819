"""A workspace for commands: a running hub, a shop that joined it, and some orders."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from examples.shell_helpers import Workspace, free_port, running_hub
from sesame_sdk import PartnerConfig
from sesame_sdk.cli.main import main
from tests.commands import Completed, run_sesame

SHOP, BAIHE = "https://shop.example", "https://baihe.example"
RANKING = "urn:sesame-sdk:purpose:MatchmakingRanking"
POLICIES = Path(__file__).parents[2] / "examples" / "policies"
ORDERS = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1001,A,thing,2,2026-05-01 10:00:00,12.50,ada,Here
1001,B,thing,1,2026-05-01 10:00:00,5.00,ada,Here
1002,A,thing,4,2026-05-02 10:00:00,12.50,ben,Here
1003,A,thing,1,2026-05-03 10:00:00,12.50,,Here
C1004,A,thing,-1,2026-05-04 10:00:00,12.50,ada,Here
"""

Type = Callable[..., Completed]


@pytest.fixture
def sesame(tmp_path: Path) -> Type:
    """Type a command in an empty folder."""
    return lambda *words, **how: run_sesame(tmp_path, *words, **how)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A hub with a fixed date, a shop and a matchmaking site; ada has consented and ben has not."""
    folder = tmp_path_factory.mktemp("workspace")
    stage = Workspace(folder, f"http://127.0.0.1:{free_port()}", run_sesame)
    (folder / "orders.csv").write_text(ORDERS)
    stage.sesame("hub", "init", "hub", "--issuer", stage.url, "--as-of", "2026-06-01")
    stage.sesame("policy", "load", POLICIES / "retail.toml", POLICIES / "matchmaking.toml", "--hub", "hub")
    with running_hub(stage):
        for name, issuer, plugin in (("shop", SHOP, "retail"), ("baihe", BAIHE, "baihe")):
            stage.sesame("keys", "new", name, "--issuer", issuer, "--hub-url", stage.url)
            (folder / f"{name}.jwks").write_text(stage.sesame("keys", "show", "--config", name))
            stage.sesame("partners", "add", issuer, "--jwks", f"{name}.jwks", "--hub", "hub")
            stage.sesame("registrations", "add", "--config", name, plugin)
        yield stage


def agree(stage: Workspace, person: str, *, crossing: str | None = "retail") -> None:
    """Record that a person lets the shop send and Baihe read."""
    shop, baihe = (PartnerConfig.load(stage.folder / name).pseudonymizer for name in ("shop", "baihe"))
    who = ("--person", person, "--hub", "hub")
    sending = [word for kind in KINDS for word in ("--send", kind)]
    crossings = ("--crossing", crossing) if crossing else ()
    stage.sesame(
        "grants", "add", *who, "--partner", SHOP, "--subject", shop.pseudonym(person), *sending, "--adult"
    )
    stage.sesame(
        *("grants", "add", *who, "--partner", BAIHE, "--subject", baihe.pseudonym(person)),
        *("--read", RANKING, "--context", "matchmaking", "--adult", *crossings),
    )


def data(done: str) -> Any:
    """What a command printed with ``--json``."""
    return json.loads(done)


KINDS = (
    "retail.order.completed",
    "retail.order.spend",
    "retail.order.returned",
    "retail.customer.tenure",
)


@frozen
class Done:
    """What came of a command that ran in this process."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, in an empty folder: the same way in, without the start of a Python."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # of the test runner; output is that of a pipe

    def run(*words: str | Path) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words)])
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def hub(run: Run, tmp_path: Path) -> Path:
    """A hub's folder in the empty folder; it is not running, and admitted the shop."""
    run("keys", "new", "shop", "--issuer", SHOP, "--hub-url", "http://127.0.0.1:9")
    (tmp_path / "shop.jwks").write_text(run("keys", "show", "--config", "shop").out)
    run("hub", "init", "hub", "--issuer", "http://127.0.0.1:9")
    assert run("partners", "add", SHOP, "--jwks", "shop.jwks", "--hub", "hub").code == 0
    return tmp_path / "hub"
