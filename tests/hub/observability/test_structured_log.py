"""No log line holds a token, a pseudonym or a value: the allow-list of events, fields and texts."""

import ast
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

import sesame_sdk
from sesame_sdk.hub.observability import structured_log
from sesame_sdk.hub.observability.health import HealthState
from sesame_sdk.hub.observability.log_events import (
    CODES,
    EVENTS,
    LIBRARY_TEXTS,
    ROUTES,
    UnloggableError,
    describe_error,
)
from sesame_sdk.hub.observability.structured_log import log, output

SECRET = "k5ug6idlnzxxo4zanvsq2dpbge"
ROUTE = "/health/live"
#: Names of structlog's own parameters.
_RESERVED = {"event", "self"}


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the log writes: JSON, from debug, strict; this process's logging is restored afterwards."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level, hook, unraisable = root.handlers[:], root.level, threading.excepthook, sys.unraisablehook
    before = (output.render, output.level, output.stream)
    structured_log.configure(level="debug", log_format="json", stream=stream)
    monkeypatch.setattr(output, "strict", True)
    ROUTES.add(ROUTE)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    threading.excepthook, sys.unraisablehook = hook, unraisable
    output.render, output.level, output.stream = before


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    """Lines as they were written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("event", "fields", "named"),
    [
        pytest.param(
            "request_completed", {"subject": "a"}, "subject", id="a field that the event does not have"
        ),
        pytest.param("request_completed", {"status": SECRET}, "status", id="a text in a field of numbers"),
        pytest.param("request_completed", {"status": {"a": 1}}, "status", id="a mapping"),
        pytest.param("request_completed", {"status": b"a"}, "status", id="bytes"),
        pytest.param("request_refused", {"findings": ("A-1",)}, "findings", id="texts in a field of numbers"),
        pytest.param(SECRET, {}, "event", id="an event that is not listed"),
    ],
)
def test_a_strict_log_raises(stream: io.StringIO, event: str, fields: dict[str, object], named: str) -> None:
    """It names the field and not the value, and writes nothing."""
    with pytest.raises(UnloggableError, match=named) as refused:
        log.info(event, **fields)
    assert SECRET not in str(refused.value)
    assert stream.getvalue() == ""


def test_a_text_outside_of_its_set_becomes_other(stream: io.StringIO) -> None:
    """Whatever a client chose: a method, a path, a code, the id of a rule."""
    log.info("request_completed", method=SECRET.upper(), route=f"/v1/scores/{SECRET}", status=200)
    log.info("request_refused", rules=("SPC-1", SECRET))
    log.info("message_dead_lettered", code=SECRET)
    completed, refused, dead = lines_of(stream)
    assert SECRET not in stream.getvalue().lower()
    assert (completed["method"], completed["route"]) == ("other", "other")
    assert refused["rules"] == ["SPC-1", "other"]
    assert dead["code"] == "other"


@given(
    st.sampled_from(sorted(EVENTS)),
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1)
        | st.sampled_from(sorted(frozenset().union(*EVENTS.values()))),
        st.text(),
        min_size=1,
    ),
)
def test_in_production_nothing_unlisted_is_written(event: str, fields: dict[str, str]) -> None:
    """Whatever is passed as a field, its text is not in the line, or the line says that it was withheld."""
    stream = io.StringIO()
    fields = {name: f"{SECRET} {value}" for name, value in fields.items() if name not in _RESERVED}
    before = (output.render, output.level, output.stream)
    output.render, output.level, output.stream = structured_log.render_json, logging.DEBUG, stream
    try:
        log.info(event, **fields)
    finally:
        output.render, output.level, output.stream = before
    line = json.loads(stream.getvalue())
    assert SECRET not in stream.getvalue()
    assert line.get("withheld", 0) + sum(name in line for name in fields if name in EVENTS[event]) == len(
        fields
    )


def test_an_error_is_logged_by_type_code_and_location(stream: io.StringIO) -> None:
    """Never by its message; its causes as well."""
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise OSError(28, SECRET, f"/{SECRET}") from error
    except OSError as error:
        log.error("transaction_failed", batch_size=3, error=error)
    assert SECRET not in stream.getvalue()
    (line,) = lines_of(stream)
    first, second = line["error"]  # type: ignore[misc]
    assert (first["type"], first["code"], second["type"]) == ("OSError", "ENOSPC", "ValueError")
    assert first["trace"][0].startswith("test_structured_log:")


def test_an_endless_chain_of_errors_is_cut() -> None:
    """An error may be its own cause, through others."""
    first, second = ValueError(), TypeError()
    first.__cause__, second.__cause__ = second, first
    assert [error["type"] for error in describe_error(first)] == ["ValueError", "TypeError"] * 2 + [
        "ValueError"
    ]


def test_a_library_is_logged_by_name_level_and_location(stream: io.StringIO) -> None:
    """Neither text nor arguments, an access log's path and an exception's message among them."""
    logging.getLogger("uvicorn.access").info('%s - "GET %s HTTP/1.1" %d', "127.0.0.1", f"/v1/{SECRET}", 200)
    logging.getLogger(SECRET).error(f"no {SECRET}", exc_info=KeyError(SECRET))
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert SECRET not in stream.getvalue()
    access, unknown, known = lines_of(stream)
    assert (access["library"], access["level"], "text" in access) == ("uvicorn", "debug", False)
    assert (unknown["library"], unknown["level"]) == ("other", "error")
    assert known["text"] == "Invalid HTTP request received."


def test_the_failure_of_a_thread_is_logged(stream: io.StringIO) -> None:
    """Instead of Python's trace, which ends with the message."""
    thread = threading.Thread(target=lambda: int(SECRET))
    thread.start()
    thread.join()
    assert SECRET not in stream.getvalue()
    assert [line["event"] for line in lines_of(stream)] == ["thread_failed"]


def test_a_member_of_an_enumeration_is_a_text_of_the_program(stream: io.StringIO) -> None:
    """Such as the state of a hub."""
    log.warning("readiness_changed", state=HealthState.STOPPING, error=None)
    (line,) = lines_of(stream)
    assert (line["state"], line["level"], "error" in line) == ("stopping", "warning", False)


def test_each_library_text_is_a_constant_in_uvicorn() -> None:
    """So nothing can be filled in; and after an update of uvicorn the list is still right."""
    root = Path(str(uvicorn.__file__)).parent
    constants = {
        node.value
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert constants >= LIBRARY_TEXTS


def test_every_code_that_the_hub_refuses_with_is_known() -> None:
    """Or the log and the metrics would call it ``other``."""
    root = Path(str(sesame_sdk.__file__)).parent
    used = {
        keyword.value.value
        for package in ("hub", "guard", "model", "signing")
        for file in (root / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert used <= CODES


def test_the_hub_has_no_other_way_to_log() -> None:
    """No module but the log's own imports ``logging`` or ``structlog``, or prints."""
    root = Path(str(sesame_sdk.__file__)).parent / "hub"
    for file in set(root.rglob("*.py")) - {root / "observability" / "structured_log.py"}:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = {
            name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
        }
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not imported & {"logging", "structlog"}, file
        assert "print" not in called, file


def test_a_log_that_cannot_be_written_fails_nothing(stream: io.StringIO) -> None:
    """A full disk, a closed stream."""
    closed = io.StringIO()
    closed.close()
    with suppress(OSError), Path("/dev/full").open("w") as full:  # closing it fails, as it must
        for broken in (full, closed):
            output.stream = broken
            log.error("server_stopped", duration_ms=1.0)
    assert stream.getvalue() == ""


def test_the_text_format_has_the_same_fields(stream: io.StringIO) -> None:
    """One line for each event, and the error below it."""
    text = io.StringIO()
    structured_log.configure(level="debug", log_format="text", stream=text)
    log.info("request_completed", method="GET", route=ROUTE, status=200, duration_ms=0.4)
    log.error("transaction_failed", batch_size=2, error=OSError(28, SECRET))
    log.warning("request_refused", rules=("SPC-1", "EXT-0"))
    first, second, beneath, third = text.getvalue().splitlines()
    assert "request_completed" in first
    assert "route=/health/live status=200" in first
    assert "batch_size=2" in second
    assert "OSError ENOSPC" in beneath
    assert "SPC-1 EXT-0" in third
    assert stream.getvalue() == ""


def test_a_process_that_embeds_a_hub_keeps_its_own_structlog() -> None:
    """Nothing is configured for others."""
    assert not structlog.is_configured()
