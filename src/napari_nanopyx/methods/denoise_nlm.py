"""Less noise by averaging pixels whose surroundings are alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.nlm.patches import SHARE, Exponential, Mode
from napari_nanopyx._kernels.nlm.surroundings import Measured, Surroundings
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._noise import noise_sigma

LARGEST_PATCH = 51
LARGEST_DISTANCE = 50
FARTHEST_FRAME = 10


def denoise_nlm(
    image: ArrayLike,
    *,
    patch_size: int = 7,
    patch_distance: int = 11,
    h: float | None = None,
    sigma: float | None = None,
    mode: Mode = "fast",
    exponential: Exponential = "exact",
    frame_distance: int = 0,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Average the pixels around each pixel, those the most whose patches are alike.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing. Frames are read and denoised one by one.
    patch_size : int
        Side of the squares that are compared, in pixels, from 2 to 51. An even number
        stands for the next odd one.
    patch_distance : int
        How many rows and columns away a pixel may lie that is averaged, from 1 to 50.
        The time goes with its square.
    h : float, optional
        How different patches may be that count as alike, in grey levels, above 0: more
        removes more noise, and detail. By default 0.8 sigma: see the notes.
    sigma : float, optional
        Standard deviation of the noise in grey levels, 0 or more. What it adds to the
        difference of two patches is not counted. By default it is estimated for each
        frame when it is read, from its finest wavelet coefficients.
    mode : str
        ``"fast"``: all pixels of a patch count the same. ``"gaussian"``: those near its
        middle count more; takes twice as long.
    exponential : str
        How weights are computed. ``"exact"``: as defined. ``"linear"``: interpolated
        between powers of two, up to 3 % off; this is what scikit-image does, and gives
        its results.
    frame_distance : int
        How many frames before and after a pixel's own are searched for alike patches
        too, up to 10. By default none. The time goes with their number.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, of the image's shape
        The means. A frame in which no noise is found, such as a constant one, is
        returned as it is if ``h`` is not given.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.ImplementationUnavailable
        If the implementation asked for cannot run here.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    A patch at a distance above 5 has no weight. The distance is the sum of squared
    differences, less ``2 * sigma**2`` for each, over ``(patch_size * h)**2``; in
    Gaussian mode the weighted mean over ``h**2``. In fast mode a patch has
    ``patch_size - 1`` rows and columns and the surroundings are mirrored at the edges;
    in Gaussian mode only pixels of the image itself are averaged. These are the two
    variants of ``skimage.restoration.denoise_nl_means``.

    With frames around, patches are still squares in one frame; frames before the first
    and after the last one are left out. Noise that frames share, such as a camera's
    fixed pattern, stays.

    Of cells with a known reference (actin and nuclei, exposures of 10 to 100 ms), an
    ``h`` of 0.6, 0.8 and 1.0 sigma gained at least 2.3, 3.9 and 5.1 dB in Gaussian mode
    and 3.3, 5.0 and 5.8 dB in fast mode, and at 10 ms up to 10 and 13 dB.

    The estimate of sigma takes the noise for white. The median over a frame is
    dominated by its background if that is most of it: give ``sigma`` or ``h`` where
    bright structures matter.

    References
    ----------
    .. [1] Buades, Coll and Morel, A non-local algorithm for image denoising, CVPR
       (2005), doi:10.1109/CVPR.2005.38
    .. [2] Darbon et al., Fast nonlocal filtering applied to electron cryomicroscopy,
       ISBI (2008), doi:10.1109/ISBI.2008.4541250

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> noisy = np.random.default_rng(0).poisson(100.0, (64, 64))
    >>> calm = nx.denoise_nlm(noisy)
    >>> bool(calm.std() < 0.3 * noisy.std())
    True
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    size = check.whole("patch_size", patch_size, 2, LARGEST_PATCH)
    distance = check.whole("patch_distance", patch_distance, 1, LARGEST_DISTANCE)
    mode = check.one_of("mode", mode, get_args(Mode))
    exponential = check.one_of("exponential", exponential, get_args(Exponential))
    around = check.whole("frame_distance", frame_distance, 0, FARTHEST_FRAME)
    movie = Surroundings(source, around) if around else source
    if h is not None:
        h = check.positive("h", h)
    is_given = sigma is not None
    # Until a frame is read, the first one's noise stands for its own.
    first = (noise_sigma(source[:1][0]) or 1.0) if sigma is None else _sigma(sigma, h)
    noise = np.full(source.shape[0], first)
    likeness = SHARE * noise if h is None else np.full(len(noise), h)

    def measure(frame: int, pictures: NDArray[Any]) -> None:
        middle = len(pictures) // (2 * around + 1) * around
        noise[frame] = noise_sigma(pictures[middle : middle + source.shape[1]])
        if h is None:
            likeness[frame] = SHARE * noise[frame]

    task = tasks()["nlm"]
    plan = task.plan(
        movie.shape,
        h=likeness,
        sigma=noise,
        patch_size=size + 1 - size % 2,
        patch_distance=distance,
        mode=mode,
        exponential=exponential,
        frame_distance=around,
        streamed=not is_given,
    )
    result = run(
        task,
        movie if is_given else Measured(movie, measure),
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )
    return result[0] if source.is_single else result


def _sigma(sigma: float, h: float | None) -> float:
    """Return the noise that is given; none at all says nothing about h."""
    allowed = "0 or a number above 0"
    given = check.number("sigma", sigma, allowed)
    if given < 0:
        raise ValueError(f"sigma is {sigma!r}, but must be {allowed}")
    if given == 0 and h is None:
        raise ValueError(
            "sigma is 0 and h is not given, but one of them must be above 0: give h, "
            "or leave out sigma to have it estimated"
        )
    return given
