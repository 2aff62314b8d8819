"""Plugins as pip would leave them: modules on the path, and metadata with entry points."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sesame_sdk.plugins import PluginInfo, PluginRegistry
from tests.plugins.installed import Installed, install_wheels

HERE = Path(__file__).parent
OURS = ("good", "nasty")
NASTY = tuple(
    sorted(file.stem for file in (HERE / "nasty").glob("*.py") if file.stem not in ("__init__", "parts"))
)


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`good` and `nasty` can be imported, and are forgotten afterwards."""
    monkeypatch.syspath_prepend(HERE)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]


@pytest.fixture
def install(
    on_path: None,  # noqa: ARG001 - the modules must be there
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., None]:
    """Write the metadata of a distribution with these entry points."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def write(distribution: str, version: str = "1.0", **entry_points: str) -> None:
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = "".join(f"{name} = {module}\n" for name, module in entry_points.items())
        (info / "entry_points.txt").write_text(f"[sesame_sdk]\n{lines}")

    return write


def plugin_info(registry: PluginRegistry, name: str) -> PluginInfo:
    """What the registry says of one plugin."""
    return next(info for info in registry.infos if info.name == name)


@pytest.fixture(scope="session")
def installed_plugin(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The SDK without a hub, and sesame-retail, from their wheels; nothing else."""
    return install_wheels(tmp_path_factory.mktemp("installed"), "sesame-sdk", "sesame-retail")
