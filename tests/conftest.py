"""What all tests share: no test ever touches the user's own history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from napari_nanopyx._engine import history


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_NANOPYX_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("NAPARI_NANOPYX_IMPLEMENTATION", raising=False)
        history.close()
        yield
        history.close()
