"""Checks that time points have the frames that a reduction over time needs."""

from __future__ import annotations

import warnings

from napari_nanopyx._kernels.windows import windows


def check_frames(
    temporal: str, least: int, count: int, frames: int, gap: int = 0
) -> None:
    """Raise if time points lack frames; warn if only the last one does.

    It is called by a public function, whose caller is warned.

    Parameters
    ----------
    temporal : str
        The reduction, as the user calls it.
    least : int
        Frames that it needs.
    count : int
        Frames of the image.
    frames : int
        Frames per time point; 0 is all.
    gap : int
        Frames between the starts of time points; 0 sets them side by side.
    """
    if count < least:
        raise ValueError(
            f"temporal is {temporal!r}, which needs at least {least} frames, but image "
            f"has {count}"
        )
    if 0 < frames < least:
        raise ValueError(
            f"frames_per_timepoint is {frames}, but must be 0 (all frames) or at least "
            f"{least} for temporal {temporal!r}"
        )
    last = len(windows(count, frames, gap)[-1])
    if last < least:
        warnings.warn(
            f"the last time point is left out: it has {last} of {frames} frames, but "
            f"temporal {temporal!r} needs at least {least}",
            stacklevel=3,
        )
