"""`SignalUploader` with any iterable of signals: what it counts, rejects and reports."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sesame_sdk import (
    Client,
    ConfigurationError,
    PartnerConfig,
    RejectsFile,
    Signal,
    SignalUploader,
    Skipped,
)

AT = datetime(2026, 5, 1, tzinfo=UTC)
UNREADABLE = Skipped("unreadable line", line=7, text="1,bad")


@pytest.fixture
def config(tmp_path: Path) -> PartnerConfig:
    """A partner whose hub does not answer."""
    return PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")


def signals(config: PartnerConfig, count: int) -> Iterator[Signal]:
    """Signals of one kind."""
    pseudonymizer, kind = config.pseudonymizer, "retail.order.completed"
    for number in range(count):
        own_id = pseudonymizer.signal_id(kind, str(number), AT)
        yield Signal(own_id, pseudonymizer.pseudonym(str(number)), kind, 1.0, AT)


def test_a_dry_run_counts_and_stores_nothing(config: PartnerConfig) -> None:
    """It keeps the first ten signals; with nothing rejected, the exit code is 0."""
    summary = SignalUploader(None).upload(signals(config, 25))
    assert (summary.dry_run, summary.complete, summary.exit_code) == (True, True, 0)
    assert summary.signals == {"retail.order.completed": 25}
    assert len(summary.sample) == 10
    assert not config.outbox.exists()


def test_skipped_is_no_fault_and_rejected_is(config: PartnerConfig, tmp_path: Path) -> None:
    """What a rule skips leaves the exit code at 0; a record that cannot be read makes it 4."""
    skipped = Skipped("no customer", 3, Decimal("12.50"))
    summary = SignalUploader(None).upload([skipped, *signals(config, 1), skipped])
    assert (summary.exit_code, summary.rejected) == (0, 0)
    total = summary.skipped["no customer"]
    assert (total.items, total.records, total.amount) == (2, 6, Decimal("25.00"))
    path = tmp_path / "rejects"
    with RejectsFile(path) as rejects:
        assert not path.exists(), "it is created at the first rejected record"
        summary = SignalUploader(None, reject=rejects.write).upload([UNREADABLE, *signals(config, 1)])
    assert (summary.exit_code, summary.rejected) == (4, 1)
    assert path.read_text() == "7\tunreadable line\t\t\t1,bad\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_hub_all_is_stored_and_the_exit_code_says_so(config: PartnerConfig) -> None:
    """5: try again later. A record that could not be read is worse, and makes it 4."""
    with Client.from_config(config) as client:
        summary = SignalUploader(client).upload(signals(config, 3))
        assert (summary.exit_code, summary.pending, summary.sent) == (5, 1, 0)
        assert "sesame outbox deliver" in str(summary.errors[0])
        summary = SignalUploader(client).upload([UNREADABLE])
        assert (summary.exit_code, len(summary.errors)) == (4, 2)


def test_a_source_that_fails_ends_the_upload_and_not_the_process(config: PartnerConfig) -> None:
    """What it yielded before is stored; its error is the worst."""

    def broken() -> Iterator[Signal]:
        yield from signals(config, 2)
        raise ConfigurationError("is broken", field="source")

    with Client.from_config(config) as client:
        summary = SignalUploader(client).upload(broken())
        assert (summary.exit_code, summary.complete, summary.pending) == (2, False, 1)
        assert summary.signals.total() == 2
        with pytest.raises(ConfigurationError, match="is broken"):
            SignalUploader(client).store(broken())


def test_a_full_outbox_that_cannot_be_emptied_ends_the_reading(tmp_path: Path) -> None:
    """The summary is not complete, and 5 says that the same command may be run again."""
    config = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
    with (config.path / "partner.toml").open("a") as settings:
        settings.write("capacity = 500000\n")
    config = PartnerConfig.load(config.path)
    with Client.from_config(config) as client:
        summary = SignalUploader(client).upload(signals(config, 5000))
    assert (summary.exit_code, summary.complete, summary.pending) == (5, False, 1)
    assert "no signal counts twice" in str(summary.errors[0])
