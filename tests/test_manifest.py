"""What the plugin promises napari is there."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npe2 import PluginManifest
from npe2.manifest.contributions import SampleDataGenerator

MANIFEST_PATH = Path(__file__).parents[1] / "napari.yaml"
MANIFEST = PluginManifest.from_file(MANIFEST_PATH)
CONTRIBUTIONS = MANIFEST.contributions


def test_npe2_accepts_the_manifest() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(MANIFEST_PATH)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", CONTRIBUTIONS.commands or (), ids=lambda c: c.id)
def test_every_command_leads_to_a_callable(command: Any) -> None:
    module, name = command.python_name.split(":")
    assert callable(getattr(import_module(module), name))


def test_every_command_is_used() -> None:
    used = {widget.command for widget in CONTRIBUTIONS.widgets or ()}
    used |= {
        sample.command
        for sample in CONTRIBUTIONS.sample_data or ()
        if isinstance(sample, SampleDataGenerator)
    }
    used |= {reader.command for reader in CONTRIBUTIONS.readers or ()}
    used |= {writer.command for writer in CONTRIBUTIONS.writers or ()}
    assert used == {command.id for command in CONTRIBUTIONS.commands or ()}


def test_every_widget_can_be_opened(
    npe2pm: Any, plugin_settings: Any, make_napari_viewer: Any
) -> None:
    with npe2pm.tmp_plugin(manifest=str(MANIFEST_PATH)):
        viewer = make_napari_viewer()
        for widget in CONTRIBUTIONS.widgets or ():
            viewer.window.add_plugin_dock_widget(MANIFEST.name, widget.display_name)
        assert len(viewer.window.dock_widgets) == len(CONTRIBUTIONS.widgets or ())


def test_every_menu_entry_lands_in_a_menu_of_napari() -> None:
    from napari._app_model.constants import MenuId

    assert set(CONTRIBUTIONS.menus) <= {str(menu) for menu in MenuId.contributables()}


@pytest.mark.parametrize("sample", CONTRIBUTIONS.sample_data or (), ids=lambda s: s.key)
def test_every_sample_loads(sample: Any, npe2pm: Any) -> None:
    with npe2pm.tmp_plugin(manifest=str(MANIFEST_PATH)):
        ((data, options, kind),) = sample.open()
    assert kind == "image"
    assert data.ndim == len(options["scale"]) == len(options["axis_labels"])
    assert np.ptp(data) > 0


def test_the_telomeres_are_calibrated(npe2pm: Any, make_napari_viewer: Any) -> None:
    with npe2pm.tmp_plugin(manifest=str(MANIFEST_PATH)):
        viewer = make_napari_viewer()
        (layer,) = viewer.open_sample(MANIFEST.name, "telomeres")
    assert layer.data.shape == (200, 133, 162)
    np.testing.assert_allclose(layer.scale, (0.05, 0.11, 0.11))
    assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"]
    assert layer.axis_labels == ("T", "Y", "X")


def test_the_installed_manifest_is_this_one() -> None:
    try:
        distribution(MANIFEST.name)
    except PackageNotFoundError:
        pytest.fail("napari-nanopyx is not installed: run make test")
    spec = find_spec("napari_nanopyx")
    assert spec is not None
    found = [
        Path(folder) / "napari.yaml"
        for folder in spec.submodule_search_locations or ()
        if (Path(folder) / "napari.yaml").exists()
    ]
    assert found, "the installed package has no napari.yaml"
    assert found[0].read_text("utf-8") == MANIFEST_PATH.read_text("utf-8")


def test_looking_at_the_widgets_imports_none_of_them() -> None:
    code = (
        "import sys; from napari_nanopyx import widgets; dir(widgets); "
        "print({'qtpy', 'napari', 'magicgui', 'superqt'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_every_name_of_the_widgets_leads_somewhere() -> None:
    from napari_nanopyx import widgets

    for name in widgets.__all__:
        assert getattr(widgets, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        getattr(widgets, "missing")  # noqa: B009
