"""ICC profiles: colours of any space to sRGB, by Pillow's LittleCMS."""

import functools
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from nst_tf.images import png_color
from nst_tf.images.pixels import to_float, to_uint
from nst_tf.images.samples import Samples, notice

_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_SRGB = ImageCms.createProfile("sRGB")
# Where a profile has its date, which would make each file another.
_DATE = slice(24, 36)


@functools.cache
def srgb_profile() -> bytes:
    """A profile of sRGB, the same on each day."""
    profile = bytearray(ImageCms.ImageCmsProfile(_SRGB).tobytes())
    profile[_DATE] = bytes.fromhex("07e800010001000000000000")  # 2024-01-01
    return bytes(profile)


def to_srgb(path: Path, samples: Samples) -> np.ndarray:
    """The colours in sRGB, [H, W, 1 or 3]; unchanged if they are sRGB or grey already."""
    transform = _transform(path, samples)
    if transform is None and samples.mode != "CMYK":
        if samples.color_space is not None:
            return png_color.to_srgb(samples.colors, samples.color_space)
        return samples.colors
    colors = samples.colors
    if colors.dtype != np.uint8:
        colors = to_uint(to_float(colors), np.uint8)
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(colors, -1, 0)]
    image = Image.merge(samples.mode, planes)
    if transform is None:
        return np.asarray(image.convert("RGB"))
    converted = ImageCms.applyTransform(image.convert(transform.input_mode), transform)
    assert converted is not None  # None is for a conversion in place
    return np.asarray(converted)


def _transform(path: Path, samples: Samples) -> ImageCms.ImageCmsTransform | None:
    """The conversion to sRGB; None without a profile, or if it is broken, unfit or sRGB."""
    if not samples.profile:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(samples.profile))
        mode = _MODES[profile.profile.xcolor_space.strip()]
        transform = ImageCms.buildTransform(profile, _SRGB, mode, "RGB")
    except (OSError, KeyError, ValueError, ImageCms.PyCMSError):
        mode = "none"
    # A grey image may have an RGB profile; other combinations are mistakes.
    if mode != samples.mode and (samples.mode, mode) != ("L", "RGB"):
        notice(path, "its color profile is broken or unfit, and is left out")
        return None
    if mode == "CMYK":
        return transform
    # sRGB profiles have many names, so recognize them by what they do to a sample of all colours.
    steps = np.linspace(0, 255, 18).astype(np.uint8)
    sample = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 18, 3)
    grays = np.repeat(steps.reshape(1, 18, 1), 3, axis=-1)
    image = Image.fromarray(grays if mode == "L" else sample)
    converted = ImageCms.applyTransform(image.convert(mode), transform)
    difference = np.abs(np.asarray(converted, np.int16) - np.asarray(image, np.int16))
    return transform if difference.max() > 1 else None
