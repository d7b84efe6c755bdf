"""Draws the pictures of the documentation."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from napari_nanopyx.demo import reconstruct

IMAGES = Path(__file__).parent / "images"


def main() -> None:
    """Run the demo and keep its comparison."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = reconstruct(Path(folder))
        if result.picture is None:
            raise SystemExit("matplotlib is needed: pip install '.[docs]'")
        shutil.copy(result.picture, IMAGES / result.picture.name)


if __name__ == "__main__":
    main()
