"""By construction a log line holds no text of others: types of fields, the gate, and what libraries say."""

import ast
import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_type_hints

import pytest
import structlog
import uvicorn
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

import sesame_sdk
from sesame_sdk.hub.observability import log_events, safe_values, structured_log
from sesame_sdk.hub.observability.log_events import Answered, GroupFailed, Line, Refused, ThreadFailed
from sesame_sdk.hub.observability.safe_values import CODES, Fault, Safe

SECRET = "k5ug6idlnzxxo4zanvsq2dpbge"
#: Names that the log fills in itself, whatever it was given, or that Python cannot pass.
_OURS = {"event", "level", "time", "self"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """A log that is strict, as JSON, with all it was told; this process's logging is put back afterwards."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level, hook, log = root.handlers[:], root.level, threading.excepthook, structured_log._log
    structured_log.configure(level="debug", log_format="json", stream=stream)
    monkeypatch.setattr(structured_log.gate, "strict", True)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    threading.excepthook, structured_log._log = hook, log


def told(stream: io.StringIO) -> list[dict[str, object]]:
    """Lines as they were written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_no_field_of_any_line_is_plain_text() -> None:
    """Numbers, safe words, and faults that are made of these."""
    kinds = [kind for kind in vars(log_events).values() if isinstance(kind, type) and issubclass(kind, Line)]
    assert set(structured_log.KINDS.values()) == set(kinds) - {Line}
    allowed = {int, float, bool, Safe, Safe | None, tuple[Safe, ...], Fault}
    for kind in kinds:
        hints = get_type_hints(kind)
        assert {hints[field.name] for field in fields(kind)} <= allowed
    assert set(get_type_hints(safe_values.Failure).values()) <= allowed


@pytest.mark.parametrize(
    ("event", "told", "named"),
    [
        pytest.param("answered", {"subject": Safe(SECRET)}, "subject", id="a field that the line has not"),
        pytest.param("answered", {"route": f"/v1/{SECRET}"}, "route", id="a field with plain text in it"),
        pytest.param("answered", {"rules": ("A-1",)}, "rules", id="plain text within a tuple"),
        pytest.param("refused", {"rules": ("A-1",)}, "rules", id="plain text within a tuple of its own"),
        pytest.param("answered", {"status": {"a": 1}}, "status", id="a mapping"),
        pytest.param(SECRET, {}, "event", id="a free text instead of a line"),
    ],
)
def test_the_gate_refuses_loudly_where_it_is_strict(
    said: io.StringIO, event: str, told: dict[str, object], named: str
) -> None:
    """The field is named, its value is not, and nothing is written."""
    with pytest.raises(structured_log.NotSafe, match=named) as refused:
        structured_log._log.info(Safe(event) if event in structured_log.KINDS else event, **told)
    assert SECRET not in str(refused.value)
    assert said.getvalue() == ""


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), st.text(), min_size=1
    )
)
def test_in_production_the_gate_leaves_out_what_it_would_refuse(some: dict[str, str]) -> None:
    """Whatever is smuggled into a line, its texts are not in what is written, and the line says so."""
    stream = io.StringIO()
    log = structured_log._logger(log_events.DEBUG, structured_log._Sink(stream), structured_log._as_json)
    some = {name: f"{SECRET} {value}" for name, value in some.items() if name not in _OURS}
    log.info(Safe("answered"), **some)
    line = json.loads(stream.getvalue())
    assert SECRET not in stream.getvalue()
    assert line.get("withheld", 0) == len(some)


def test_an_error_is_told_by_its_type_code_and_place(said: io.StringIO) -> None:
    """Never by its message; the errors that it came from as well."""
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise OSError(28, SECRET, f"/{SECRET}") from error
    except OSError as error:
        structured_log.log(GroupFailed(3, safe_values.fault(error)))
    assert SECRET not in said.getvalue()
    (line,) = told(said)
    first, second = line["fault"]  # type: ignore[misc]
    assert (first["type"], first["code"], second["type"]) == ("OSError", "ENOSPC", "ValueError")
    assert first["trace"][0].startswith("test_log_lines:")


def test_a_chain_of_errors_that_never_ends_is_cut() -> None:
    """An error may be its own cause, through others."""
    first, second = ValueError(), TypeError()
    first.__cause__, second.__cause__ = second, first
    assert [failure.type for failure in safe_values.fault(first)] == ["ValueError", "TypeError"] * 2 + [
        "ValueError"
    ]


def test_libraries_are_told_by_name_level_and_place(said: io.StringIO) -> None:
    """Neither words nor arguments, an access log's path and an exception's message among them."""
    logging.getLogger("uvicorn.access").info('%s - "GET %s HTTP/1.1" %d', "127.0.0.1", f"/v1/{SECRET}", 200)
    logging.getLogger(SECRET).error(f"no {SECRET}", exc_info=KeyError(SECRET))
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert SECRET not in said.getvalue()
    access, unknown, known = told(said)
    assert (access["library"], access["level"], "text" in access) == ("uvicorn", "debug", False)
    assert (unknown["library"], unknown["level"]) == ("other", "error")
    assert known["text"] == "Invalid HTTP request received."


def test_what_ends_a_thread_is_a_line(said: io.StringIO) -> None:
    """Instead of Python's trace, which ends with the message."""
    thread = threading.Thread(target=lambda: int(SECRET))
    thread.start()
    thread.join()
    assert SECRET not in said.getvalue()
    assert [line["event"] for line in told(said)] == ["thread_failed"]


def test_each_text_of_a_library_that_is_shown_is_a_constant_in_its_code() -> None:
    """So nothing can be filled in; and after an update of uvicorn the list is still right."""
    root = Path(str(uvicorn.__file__)).parent
    constants = {
        node.value
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert constants >= structured_log.LIBRARY_TEXTS


def test_every_code_that_the_hub_refuses_with_is_known() -> None:
    """Or the log and the metrics would call it ``other``."""
    root = Path(str(sesame_sdk.__file__)).parent
    used = {
        keyword.value.value
        for room in ("hub", "guard", "model", "signing")
        for file in (root / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert used <= CODES


def test_nothing_in_the_hub_logs_in_any_other_way() -> None:
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


def test_a_log_that_cannot_be_written_fails_nothing() -> None:
    """A pipe that nobody reads, a disk that is full, a stream that is closed."""
    closed = io.StringIO()
    closed.close()
    said = 0
    with suppress(OSError), Path("/dev/full").open("w") as full:  # closing it fails, as it must
        for stream in (full, closed):
            structured_log._logger(
                log_events.DEBUG, structured_log._Sink(stream), structured_log._as_json
            ).error(Safe("ready"), after_ms=1.0)
            said += 1
    assert said == 2


def test_a_person_at_a_terminal_reads_the_same(said: io.StringIO) -> None:
    """One line each, the fault beneath it."""
    text = io.StringIO()
    log = structured_log._logger(
        log_events.DEBUG, structured_log._Sink(text), structured_log._for_people(text)
    )
    log.info(Safe("answered"), method=Safe("GET"), route=Safe("/health/live"), status=200, ms=0.4)
    log.error(Safe("group_failed"), pieces=2, fault=safe_values.fault(OSError(28, SECRET)))
    log.warning(Safe("refused"), rules=(Safe("SPC-1"), Safe("EXT-0")))
    first, second, beneath, third = text.getvalue().splitlines()
    assert "answered" in first
    assert "route=/health/live status=200" in first
    assert "pieces=2" in second
    assert "OSError ENOSPC" in beneath
    assert "SPC-1 EXT-0" in third
    assert said.getvalue() == ""


@pytest.mark.parametrize(
    ("line", "level"),
    [
        pytest.param(
            Answered(Safe("GET"), Safe("/health/ready"), 200, 1.0), "debug", id="a watcher's question"
        ),
        pytest.param(
            Answered(Safe("GET"), Safe("/health/ready"), 503, 1.0), "info", id="a watcher's bad news"
        ),
        pytest.param(Answered(Safe("POST"), Safe("/v1/events"), 202, 1.0), "info", id="a partner's request"),
        pytest.param(Refused(Safe("/v1/events"), 400, 1, ()), "warning", id="a refusal by the guard"),
        pytest.param(ThreadFailed(()), "error", id="a fault of ours"),
    ],
)
def test_a_line_has_the_level_of_its_kind(said: io.StringIO, line: Line, level: str) -> None:
    """What nobody did anything for is for debugging only."""
    structured_log.log(line)
    assert told(said)[0]["level"] == level


def test_a_process_that_a_hub_is_a_part_of_keeps_its_own_structlog() -> None:
    """Nothing is configured for others."""
    assert not structlog.is_configured()
