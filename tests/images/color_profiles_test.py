import struct
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image, ImageCms
from testing.image_files import SRGB, SWAPPED

from nst_tf.images.color_profiles import srgb_profile, to_srgb
from nst_tf.images.samples import Samples, notice

BYTES = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
RGB, GRAY = BYTES[..., :3], BYTES[..., :1]
D50 = (0.9642, 1.0, 0.8249)


def fixed(values):
    """Numbers as ICC's s15Fixed16."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def icc_profile(space, device, name, data, connection=b"XYZ "):
    """An ICC profile of version 2 with one tag beside the white point."""
    white = b"XYZ \0\0\0\0" + fixed(D50)
    size = 128 + 4 + 2 * 12 + len(white) + len(data)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x", size, 0x02400000, device, space, connection, b"acsp"
    )
    table = struct.pack(">I4sII", 2, b"wtpt", 156, len(white))
    table += struct.pack(">4sII", name, 156 + len(white), len(data))
    return (header + fixed(D50)).ljust(128, b"\0") + table + white + data


def cmyk_profile(lightness):
    """Without ink white, cyan alone a grey of that L* in [0, 255], everything else black."""
    lab = np.zeros((2, 2, 2, 2, 3), np.uint8) + np.array([0, 128, 128], np.uint8)
    lab[0, 0, 0, 0, 0], lab[1, 0, 0, 0, 0] = 255, lightness
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(np.eye(3).ravel())
    return icc_profile(
        b"CMYK", b"prtr", b"A2B0", table + ramp * 4 + lab.tobytes() + ramp * 3, b"Lab "
    )


LINEAR_GRAY = icc_profile(b"GRAY", b"mntr", b"kTRC", b"curv" + bytes(8))
SRGB_CURVE = SRGB[SRGB.index(b"para") :][: 12 + 5 * 4]
SRGB_GRAY = icc_profile(b"GRAY", b"mntr", b"kTRC", SRGB_CURVE)
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
CMYK = cmyk_profile(128)


def convert(mode, colors, profile):
    return to_srgb(Path("file"), Samples(mode, colors, None, profile))


def wide(colors):
    """The same colours in 16 bits."""
    return colors.astype(np.uint16) * 257


class ToSrgbTest(parameterized.TestCase, tf.test.TestCase):
    def check(self, found, expected):
        self.assertEqual(found.dtype, np.uint8)
        expected = np.broadcast_to(expected, (*found.shape[:2], 3))
        self.assertAllClose(found.astype(int), expected, rtol=0, atol=1.5)

    @parameterized.parameters(
        ("RGB", RGB, None), ("RGB", RGB, SRGB), ("RGB", wide(RGB), SRGB), ("L", GRAY, SRGB),
        ("L", GRAY, SRGB_GRAY), ("L", wide(GRAY), None),
        ("RGB", RGB, b"this is no profile"), ("RGB", RGB, SWAPPED[:300]), ("RGB", RGB, CMYK),
        ("RGB", RGB, LINEAR_GRAY), ("L", GRAY, CMYK), ("RGB", RGB, LAB),
    )  # fmt: skip
    def test_srgb_and_unfit_profiles_leave_the_colors(self, mode, colors, profile):
        self.assertIs(convert(mode, colors, profile), colors)

    @parameterized.parameters(("RGB", b"this is no profile"), ("RGB", CMYK), ("L", CMYK))
    def test_unfit_profile_is_named(self, mode, profile):
        notice.cache_clear()
        with self.assertLogs("nst_tf", "WARNING") as logs:
            convert(mode, RGB if mode == "RGB" else GRAY, profile)
        message = "file: its color profile is broken or unfit, and is left out"
        self.assertEqual([record.getMessage() for record in logs.records], [message])

    def test_our_profile_is_srgb_on_each_day(self):
        self.assertIs(convert("RGB", RGB, srgb_profile()), RGB)
        self.assertEqual(struct.unpack(">6H", srgb_profile()[24:36]), (2024, 1, 1, 0, 0, 0))

    @parameterized.parameters((RGB,), (wide(RGB),))
    def test_rgb_profile(self, colors):
        self.check(convert("RGB", colors, SWAPPED), RGB[..., [1, 0, 2]])

    @parameterized.product(gamma=(1.0, 2.4), dtype=(np.uint8, np.uint16))
    def test_gray_with_gray_or_rgb_profile(self, gamma, dtype):
        grays = np.arange(32, 256, dtype=np.uint8).reshape(1, -1, 1)
        profile = LINEAR_GRAY
        if gamma == 2.4:  # a parametric curve of type 0 has no linear part as sRGB's, type 3, has
            profile = SRGB.replace(b"para\0\0\0\0\0\3", b"para\0\0\0\0\0\0")
        expected = 1.055 * (grays / 255) ** (gamma / 2.4) - 0.055
        self.check(
            convert("L", grays if dtype == np.uint8 else wide(grays), profile), 255 * expected
        )

    @parameterized.parameters(np.uint8, np.uint16)
    def test_cmyk_profile(self, dtype):
        inks = np.zeros((1, 3, 4), dtype)
        inks[0, 1, 0] = inks[0, 2, 3] = np.iinfo(dtype).max
        # L* = 100 * 128 / 255 is 120 in sRGB.
        self.check(convert("CMYK", inks, CMYK), np.array([[[255], [120], [0]]]))

    @parameterized.parameters(None, SRGB)
    def test_cmyk_without_a_profile_for_it(self, profile):
        expected = Image.merge("CMYK", [Image.fromarray(BYTES[..., i]) for i in range(4)])
        for inks in (BYTES, wide(BYTES)):
            self.assertAllEqual(convert("CMYK", inks, profile), np.asarray(expected.convert("RGB")))


if __name__ == "__main__":
    tf.test.main()
