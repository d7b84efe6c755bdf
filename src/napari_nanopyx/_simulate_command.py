"""Commands that simulate images, and keep the truth about them beside."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_nanopyx import _terminal as terminal
from napari_nanopyx import simulate
from napari_nanopyx._options import Pair, Target, with_options
from napari_nanopyx._parameters import explanations, parameters

app = typer.Typer(
    help="Simulate images of which the truth is known; it is kept beside as JSON.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Sides = Annotated[tuple[int, int], typer.Option(metavar="ROWS COLUMNS")]
Seed = Annotated[int | None, typer.Option()]
Noise = Annotated[
    bool | None, typer.Option("--noise", help="Add the photons' own noise, as counts.")
]
WORDS = {"shape": Sides, "seed": Seed, "drift": Pair}


def _command(
    function: Callable[..., Any], explained: Mapping[str, str] | None = None
) -> Callable[..., None]:
    """Return a command that writes what a function simulates.

    Parameters
    ----------
    function
        Its result is a dataclass with ``movie`` or ``image``, and the truth.
    explained
        What its docstring does not say of its parameters. Such a function adds noise
        by itself.
    """

    def command(target: Path, noise: bool | None = None, **chosen: Any) -> None:
        with terminal.one_sentence_errors():
            from napari_nanopyx.io import ImageMetadata, check_output, write_image

            check_output(target)
            beside = target.with_name(f"{target.name.split('.')[0]}_truth.json")
            check_output(beside, suffixes=(".json",))
            given = {n: value for n, value in chosen.items() if value is not None}
            made = function(**given)
            name = "movie" if hasattr(made, "movie") else "image"
            image = getattr(made, name)
            if noise:
                image = simulate.camera_noise(image, seed=given.get("seed"))
            axes = "TYX" if name == "movie" else "CYX"[-image.ndim :]
            call = f"napari_nanopyx.simulate.{function.__name__}"
            note = {"function": call, "parameters": given | {"noise": bool(noise)}}
            write_image(target, image, ImageMetadata(axes), provenance=note)
            _write_truth(beside, note | _truth(made, name))
            size = " x ".join(map(str, image.shape))
            typer.echo(f"{target}: {size}; the truth is in {beside}")

    chosen = {} if explained else {"noise": Noise}
    told = {"seed": "A whole number: the same result each time."} | dict(
        explained or {}
    )
    return with_options(command, function, {"target": Target}, WORDS, chosen, told)


def _truth(made: Any, image: str) -> dict[str, Any]:
    """Return all of a result but its image, as lists."""
    found = {
        field.name: getattr(made, field.name)
        for field in dataclasses.fields(made)
        if field.name != image
    }
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _write_truth(place: Path, truth: dict[str, Any]) -> None:
    from napari_nanopyx.io import temporary_beside

    with temporary_beside(place) as part:
        part.write_text(json.dumps(truth), encoding="utf-8")


def _spelled_out(
    function: Callable[..., Any], inner: Callable[..., Any]
) -> tuple[Callable[..., Any], dict[str, str]]:
    """Return a function with the keywords that it passes on to another as its own.

    With it comes what that one says of them.
    """
    own = [
        (each, hint)
        for each, hint in parameters(function)
        if each.kind is not each.VAR_KEYWORD
    ]
    passed = [
        (each, hint)
        for each, hint in parameters(inner)
        if each.default is not each.empty
        and each.name not in {mine.name for mine, _ in own}
    ]

    def spelled(**chosen: Any) -> Any:
        return function(**chosen)

    spelled.__name__ = function.__name__
    spelled.__doc__ = function.__doc__
    spelled.__annotations__ = {each.name: hint for each, hint in own + passed}
    listed = [each.replace(kind=each.KEYWORD_ONLY) for each, _ in own + passed]
    spelled.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    told = explanations(inner)
    shared = {each.name for each, _ in passed} | {"shape", "frames"}
    return spelled, {name: told[name] for name in shared if name in told}


_BLINKING = (simulate.blinking_filaments, simulate.blinking_ring)
_OTHERS = (
    simulate.drift_movie,
    simulate.random_spots,
    simulate.beads,
    simulate.misaligned_channels,
)
for _function in (*_BLINKING, *_OTHERS):
    _name = _function.__name__.replace("_", "-")
    if _function in _BLINKING:
        app.command(_name)(_command(*_spelled_out(_function, simulate.blinking)))
    else:
        app.command(_name)(_command(_function))
