"""A wheel built from the sources works in an environment that has nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SCRIPT = """
import sys
import numpy as np
import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx.data import telomeres

assert "site-packages" in nx.__file__, nx.__file__
movie = telomeres()[0][:6, :40, :50]
names = {each.name for each in engine.implementations("esrrf") if each.available}
assert {"serial", "threads-dynamic", "reference"} <= names, names
assert not {"numba"} & names, names
expected = nx.esrrf(movie, magnification=3, implementation="reference")
for name in ("serial", "threads-dynamic", None):
    found = nx.esrrf(movie, magnification=3, implementation=name)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * expected.max())
"""


WIDGET = """
import sys
from pathlib import Path

import napari
from qtpy.QtTest import QTest

import napari_nanopyx

assert Path(sys.argv[1]) in Path(napari_nanopyx.__file__).parents
viewer = napari.Viewer(show=False)
step = viewer.window.add_plugin_dock_widget("napari-nanopyx", "eSRRF reconstruction")[1]
step.sample_button.click()
step.run_button.click()
for _ in range(2400):
    if not step.watches:
        break
    QTest.qWait(50)
names = [layer.name for layer in viewer.layers]
assert names == ["telomeres", "telomeres eSRRF AVG ×5"], names
viewer.close()
"""


def run(*words: object, **options: object) -> str:
    ran = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return str(ran.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "CMakeLists.txt").exists():
        pytest.skip("the sources are not here")
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_wheel_holds_what_users_need_and_no_sources(wheel: Path) -> None:
    """Manifest, licences, bundled movie and type marker are in; C texts are not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for needed in (
        "napari_nanopyx/napari.yaml",
        "napari_nanopyx/py.typed",
        "napari_nanopyx/data/telomeres_live_200f.tif",
        "napari_nanopyx/data/telomeres_live_200f.LICENSE.txt",
    ):
        assert needed in names
    assert any(name.endswith("LICENSE") for name in names)
    assert any("_generated/esrrf" in name for name in names)
    assert [name for name in names if name.endswith((".c", ".h", ".cl", ".pyx"))] == []
    assert {name.split("/")[0].split("-")[0] for name in names} == {"napari_nanopyx"}


@pytest.mark.slow
def test_wheel_reconstructs_in_an_empty_environment(
    wheel: Path, tmp_path: Path
) -> None:
    """Installed alone, with only its hard requirements, the package computes."""
    environment = {
        **os.environ,
        "NAPARI_NANOPYX_HOME": str(tmp_path / "home"),
        "PYTHONPATH": "",
    }
    run(sys.executable, "-m", "venv", tmp_path / "empty")
    python = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, env=environment)
    run(python, "-W", "error", "-c", SCRIPT, cwd=tmp_path, env=environment)
    report = run(
        python, "-c", "from napari_nanopyx.cli import app; app()", "doctor",
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert "numba: cannot run" in report


@pytest.mark.slow
def test_wheel_alone_opens_its_widgets(wheel: Path, tmp_path: Path) -> None:
    """Beside the packages that are here, but without the sources, napari finds it."""
    folder = tmp_path / "alone"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = Path(run(python, "-c", ask).strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    others = [path for path in sys.path if path.endswith("site-packages")]
    (place / "others.pth").write_text("\n".join(others))
    environment = {
        **os.environ,
        "NAPARI_NANOPYX_HOME": str(tmp_path / "home"),
        "NAPARI_CONFIG": str(tmp_path / "settings.yaml"),
        "NAPARI_ASYNC": "0",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    demo = ["-c", "from napari_nanopyx.cli import app; app()", "demo", "--no-viewer"]
    run(python, *demo, cwd=tmp_path, env=environment)
    assert list((tmp_path / "demo-output").glob("*.tif"))
    run(python, "-c", WIDGET, str(place), cwd=tmp_path, env=environment)
