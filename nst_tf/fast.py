"""The feed-forward path: a trained network paints a photograph in one pass.

Models come as SavedModels with the interface of TF-Hub's arbitrary-image-stylization-v1-256/2:
`model(content_image, style_image)[0]`. Some offer what lies between, too: `bottleneck(style_image)`
and `transform(content_image, bottleneck)`.
"""

import contextlib
import functools
import http.client
import socket
import tarfile
import tempfile
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from nst_tf import bundled
from nst_tf.arbitrary import extend, fit_style
from nst_tf.errors import InputError
from nst_tf.scales import SHORTEST

MAGENTA = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
# Seconds that a server may stay silent.
TIMEOUT = 10.0
_ADVICE = (
    "give bundled, or a folder or .tar.gz with a SavedModel; TFHUB_CACHE_DIR may name a folder "
    "that holds earlier downloads"
)
_ARCHIVES = (".tar.gz", ".tgz")
# What a broken or foreign SavedModel, archive or server may raise.
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    RuntimeError,
    AttributeError,
    KeyError,
    tarfile.TarError,
    zlib.error,
    http.client.HTTPException,
    tf.errors.OpError,
)

Paint = Callable[..., tf.Tensor]


def load(handle: str) -> "Painter":
    """Load a feed-forward model.

    Args:
        handle: `bundled`, `magenta` (the official module), a folder with a SavedModel, a .tar.gz
            with one, or an http(s) address that TensorFlow Hub understands. What is downloaded is
            kept in TFHUB_CACHE_DIR.

    Returns:
        The model, a callable from photographs and paintings to pictures.

    Raises:
        InputError: there is no such model, it cannot be fetched, or it has another interface.
    """
    if handle == "bundled":
        return Painter(_load(handle, bundled.path("arbitrary_stylization")), handle)
    address = MAGENTA if handle == "magenta" else handle
    if address.startswith(("http://", "https://")):
        return Painter(_load(handle, _fetch(handle, address)), handle)
    path = Path(handle)
    if path.is_file() and path.name.endswith(_ARCHIVES):
        with tempfile.TemporaryDirectory() as folder:
            return Painter(_load(handle, _unpack(handle, Path(folder))), handle)
    if not path.is_dir():
        raise InputError(f"handle={handle}: is no folder, .tar.gz or http address; {_ADVICE}")
    return Painter(_load(handle, path), handle)


class Painter:
    """A feed-forward model; what it paints has the photographs' size."""

    def __init__(self, model: Any, handle: str):
        """Take a model and try it on a small picture.

        Args:
            model: a loaded SavedModel.
            handle: where it came from, for messages.

        Raises:
            InputError: it has another interface.
        """
        self._model, self._handle = model, handle
        _check_interface(model, handle)

    @property
    def has_codes(self) -> bool:
        """Whether the model describes a style in numbers, which can be blended."""
        return all(callable(getattr(self._model, name, None)) for name in _CODE_FUNCTIONS)

    def __call__(self, content: Any, style: Any) -> tf.Tensor:
        """Paint photographs in the style of paintings.

        Args:
            content: float32 sRGB [B, H, W, 3] in [0, 1], array or tensor; sides from 32 px.
            style: float32 sRGB [B, h, w, 3] in [0, 1]; one of the two batches may be 1.

        Returns:
            float32 [B, H, W, 3] in [0, 1].

        Raises:
            InputError: other shapes, or batches that do not fit together.
        """
        content, style = _checked("content", content), _checked("style", style)
        batches = {len(content), len(style)}
        if len(batches - {1}) > 1:
            raise InputError(
                f"content, style: batches of {len(content)} and {len(style)}; expected the same "
                "number, or one of either"
            )
        # Not every model takes unequal batches.
        content = tf.repeat(content, max(batches) // len(content), axis=0)
        style = tf.repeat(style, max(batches) // len(style), axis=0)
        return self._at_size(content, lambda wide: self._model(wide, fit_style(style))[0])

    def blend(self, styles: Sequence[Any], shares: Sequence[float]) -> Paint:
        """Prepare to paint in a mixture of paintings.

        Args:
            styles: paintings, each float32 sRGB [1, h, w, 3] in [0, 1].
            shares: how much each counts, from 0, not all 0.

        Returns:
            A function of content, float32 [B, H, W, 3], and of a strength from 0, the photograph,
            to 1, the mixture; it returns float32 [B, H, W, 3]. It blends the model's descriptions
            of the styles (the photograph's own for strength 0) where the model has such, and
            pixels elsewhere.

        Raises:
            InputError: other shapes, or shares that do not fit.
        """
        if len(styles) != len(shares) or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
            raise InputError(
                f"shares: expected {len(styles)} numbers from 0, one for each painting and not "
                f"all 0, got {list(shares)}"
            )
        paintings = [_checked("style", style) for style in styles]
        parts = [share / sum(shares) for share in shares]
        if not self.has_codes:
            return functools.partial(self._paint_pixels, paintings, parts)
        code = _mean(map(self._code, paintings), parts)
        return functools.partial(self._paint_code, code)

    def _code(self, style: tf.Tensor) -> tf.Tensor:
        return self._model.bottleneck(fit_style(style))

    def _paint_code(self, code: tf.Tensor, content: Any, strength: float = 1.0) -> tf.Tensor:
        content = _checked("content", content)
        if strength < 1:
            code = _mean([self._code(content), code], [1 - strength, strength])
        return self._at_size(content, lambda wide: self._model.transform(wide, code))

    def _paint_pixels(self, paintings, parts, content: Any, strength: float = 1.0) -> tf.Tensor:
        content = _checked("content", content)
        painted = _mean((self(content, painting) for painting in paintings), parts)
        return _mean([content, painted], [1 - strength, strength])

    def _at_size(self, content: tf.Tensor, paint: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        """Paint with sides that are multiples of 4, which all of these networks keep."""
        height, width = content.shape[1:3]
        painted = paint(extend(content, 0))
        return tf.clip_by_value(painted[:, :height, :width], 0.0, 1.0)


_CODE_FUNCTIONS = ("bottleneck", "transform")


def _mean(pictures, parts: Sequence[float]) -> tf.Tensor:
    return tf.add_n([picture * part for picture, part in zip(pictures, parts, strict=True)])


def _checked(name: str, pictures: Any) -> tf.Tensor:
    pictures = tf.convert_to_tensor(pictures, tf.float32)
    if pictures.shape.rank != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:
        raise InputError(f"{name}: expected pictures [B, H, W, 3], got {list(pictures.shape)}")
    if name == "content" and min(pictures.shape[1:3]) < SHORTEST:
        raise InputError(
            f"content: {pictures.shape[2]} x {pictures.shape[1]} px; the network needs sides of "
            f"{SHORTEST} px or more; enlarge it"
        )
    return pictures


def _check_interface(model: Any, handle: str) -> None:
    expected = "expected model(content_image, style_image)[0], pictures of the content's size"
    if not callable(model):
        raise InputError(f"handle={handle}: the model cannot be called; {expected}; {_ADVICE}")
    side = 2 * SHORTEST
    try:
        painted = model(tf.zeros([1, side, side, 3]), tf.zeros([1, 256, 256, 3]))[0]
        shape = tuple(painted.shape)
    except _BROKEN as error:
        cause = _first_line(error)
        raise InputError(f"handle={handle}: {expected}; it says: {cause}; {_ADVICE}") from error
    if shape != (1, side, side, 3):
        raise InputError(f"handle={handle}: {expected}, got {list(shape)}; {_ADVICE}")


def _load(handle: str, folder: Path) -> Any:
    if not (folder / "saved_model.pb").is_file():
        raise InputError(f"handle={handle}: no SavedModel, saved_model.pb is missing; {_ADVICE}")
    try:
        return tf.saved_model.load(str(folder))
    except _BROKEN as error:
        raise InputError(
            f"handle={handle}: a SavedModel that does not load ({_first_line(error)}); {_ADVICE}"
        ) from error


def _unpack(handle: str, folder: Path) -> Path:
    """The folder with the SavedModel in an archive: its top, or the one folder there."""
    try:
        with tarfile.open(handle) as archive:
            archive.extractall(folder, filter="data")
    except _BROKEN as error:
        raise InputError(
            f"handle={handle}: no whole .tar.gz ({_first_line(error)}); {_ADVICE}"
        ) from error
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _fetch(handle: str, address: str) -> Path:
    """The folder that TensorFlow Hub keeps a download in."""
    with warnings.catch_warnings():
        # It imports pkg_resources, which warns of its own end.
        warnings.simplefilter("ignore")
        import tensorflow_hub
    try:
        with _timeout():
            return Path(tensorflow_hub.resolve(address))
    except _BROKEN as error:
        raise InputError(
            f"handle={handle}: cannot be fetched ({_first_line(error)}); {_ADVICE}"
        ) from error


@contextlib.contextmanager
def _timeout():
    """TensorFlow Hub sets no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
