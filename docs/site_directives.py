"""Sphinx directives that write the reference from the code: rules, catalogues, plugins, HTTP operations."""

from collections.abc import Iterable, Iterator
from typing import Any

import requests
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import sesame_sdk.testing
from sesame_sdk.catalogue.effects import effects
from sesame_sdk.catalogue.observations import observations
from sesame_sdk.guard.guard import BUILT_IN
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.plugins import PluginRegistry
from sesame_sdk.testing import LocalHub


class MarkdownDirective(SphinxDirective):
    """A directive without arguments that writes Markdown."""

    def markdown(self) -> Iterator[str]:
        """The lines to write."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the lines as a part of the page."""
        return self.parse_text_to_nodes("\n".join(self.markdown()), allow_section_headings=True)


class GuardRules(MarkdownDirective):
    """The built-in rules of the guard: id, first line of the docstring, source."""

    def markdown(self) -> Iterator[str]:
        """A table."""
        rows = ((rule.id, _summary(type(rule)).partition(": ")[2], rule.source) for rule in BUILT_IN)
        yield from _table(("rule", "meaning", "source"), rows)


class ObservationCatalogue(MarkdownDirective):
    """The catalogue of observations."""

    def markdown(self) -> Iterator[str]:
        """A table."""
        rows = (
            (
                *(f"`{name}`", entry.en, entry.polarity, entry.measure, entry.reads),
                *(", ".join(entry.contexts), ", ".join(entry.excludes)),
            )
            for name, entry in observations().items()
        )
        header = (
            "observation",
            "text that people read",
            "polarity",
            "measure",
            "read from",
            "contexts",
            "excludes",
        )
        yield from _table(header, rows)


class EffectCatalogue(MarkdownDirective):
    """The catalogue of effects."""

    def markdown(self) -> Iterator[str]:
        """A table."""
        rows = (
            (f"`{name}`", entry.en, entry.direction, entry.decides, entry.without, ", ".join(entry.excludes))
            for name, entry in effects().items()
        )
        header = ("effect", "text that people read", "band", "decides", "without a score", "excludes")
        yield from _table(header, rows)


class PluginCatalogue(MarkdownDirective):
    """The installed plugins, from their manifests."""

    def markdown(self) -> Iterator[str]:
        """A section for each plugin."""
        registry = PluginRegistry.discover()
        for name in sorted(info.name for info in registry.infos):
            yield from _describe_plugin(registry.manifest(name))


class HttpOperations(MarkdownDirective):
    """The operations of a hub, from its OpenAPI document."""

    def markdown(self) -> Iterator[str]:
        """A section for each operation."""
        for path, operations in _openapi_document()["paths"].items():
            for method, operation in operations.items():
                yield from _describe_operation(f"{method.upper()} {path}", operation)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives, and import the names that the packages import on first access."""
    for package in (sesame_sdk, sesame_sdk.testing):
        for name in package.__all__:
            setattr(package, name, getattr(package, name))
    app.add_directive("guard-rules", GuardRules)
    app.add_directive("observation-catalogue", ObservationCatalogue)
    app.add_directive("effect-catalogue", EffectCatalogue)
    app.add_directive("plugin-catalogue", PluginCatalogue)
    app.add_directive("http-operations", HttpOperations)
    return {"parallel_read_safe": True}


def _openapi_document() -> dict[str, Any]:
    with LocalHub() as local, requests.Session() as session:
        session.mount(local.issuer, local.adapter)
        document: dict[str, Any] = session.get(f"{local.issuer}/schema/openapi.json", timeout=60).json()
        return document


def _describe_operation(title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from (f"## {title}", "", operation.get("description") or operation["summary"], "")
    responses = operation["responses"].items()
    yield from _table(
        ("status", "meaning"), ((code, each["description"]) for code, each in sorted(responses))
    )


def _describe_plugin(manifest: Manifest) -> Iterator[str]:
    yield from (f"## {manifest.name}", "", f"Version {manifest.version}, for hook API {manifest.api}.", "")
    if manifest.kinds:
        rows = ((f"`{kind.name}`", kind.unit, kind.reason) for kind in manifest.kinds)
        yield from _table(("kind", "unit", "text that people read"), rows)
    if manifest.consumers:
        consumers = ((each.name, each.context, f"`{each.purpose}`") for each in manifest.consumers)
        yield from _table(("consumer", "context", "purpose"), consumers)


def _summary(item: type) -> str:
    return (item.__doc__ or "").partition("\n")[0]


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(header)
    for row in (columns, ["---"] * len(columns), *rows):
        cells = (" ".join(cell.split()).replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""
