import struct
import zlib

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.image_files import (
    SRGB,
    SWAPPED,
    encode_pillow,
    encode_png16,
    png_chunk,
    read_with_notices,
)

RGB = np.random.default_rng(0).integers(0, 256, (300, 5, 3), dtype=np.uint8)
RGB[0, 0], RGB[0, 1], RGB[0, 2] = 0, 255, 128
FLOATS = RGB / 255
# x and y of white, red, green and blue.
SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
P3_CHROMATICITIES = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def gamma(exponent):
    return png_chunk(b"gAMA", struct.pack(">I", round(100_000 / exponent)))


def primaries(numbers):
    return png_chunk(b"cHRM", struct.pack(">8I", *numbers))


def cicp(*numbers):
    return png_chunk(b"cICP", bytes(numbers))


def png(bits, *chunks, pixels=RGB):
    if bits == 16:
        data = encode_png16(pixels.astype(np.uint16) * 257)
    else:
        data = encode_pillow(pixels, "RGB" if pixels.shape[-1] == 3 else "L", "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def encoded(light):
    """Linear light to sRGB."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def decoded(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


# Display P3 to sRGB in linear light, as in the CSS Color specification, section 10.
P3_TO_SRGB = np.array(
    [
        [1.2249402, -0.2249402, 0.0],
        [-0.0420570, 1.0420570, 0.0],
        [-0.0196376, -0.0786361, 1.0982736],
    ]
)
PROFILE = png_chunk(b"iCCP", b"name\0\0" + zlib.compress(SRGB))
OTHER_PROFILE = png_chunk(b"iCCP", b"name\0\0" + zlib.compress(SWAPPED))
INTENT = png_chunk(b"sRGB", b"\0")
P3, UNCHANGED = (12, 13, 0, 1), (1, 13, 0, 1)


class PngColorTest(parameterized.TestCase, tf.test.TestCase):
    def read(self, data, bits, *notices):
        found = read_with_notices(self, data, *notices)
        self.assertEqual(found.bits, bits)
        return found.rgb

    def check(self, data, bits, expected, *notices):
        found = self.read(data, bits, *notices)
        self.assertAllClose(found, expected, rtol=0, atol=0.6 / (2**bits - 1))

    @parameterized.product(bits=(8, 16), exponent=(1.0, 1.8, 2.6))
    def test_gamma(self, bits, exponent):
        expected = encoded(FLOATS ** (100_000 / round(100_000 / exponent)))
        self.check(png(bits, gamma(exponent)), bits, expected)
        gray = RGB[..., :1]
        expected = np.repeat(expected[..., :1], 3, axis=-1)
        self.check(png(bits, gamma(exponent), pixels=gray), bits, expected)

    @parameterized.product(
        bits=(8, 16),
        chunks=(
            (gamma(2.2),),
            (gamma(2.2), primaries(SRGB_CHROMATICITIES)),
            (gamma(1.0), INTENT),
            (gamma(1.0), PROFILE),
            (gamma(1.0), cicp(*UNCHANGED)),
            (OTHER_PROFILE, cicp(*UNCHANGED)),
            (primaries(SRGB_CHROMATICITIES),),
            (cicp(1, 1, 0, 1),),
            (png_chunk(b"gAMA", b"\0\1"),),
        ),
    )
    def test_srgb_is_unchanged(self, bits, chunks):
        self.assertAllClose(self.read(png(bits, *chunks), bits), FLOATS, rtol=0, atol=1e-7)

    @parameterized.product(
        bits=(8, 16),
        chunks=(
            (cicp(*P3),),
            (cicp(*P3), PROFILE),
            (gamma(2.2), primaries(P3_CHROMATICITIES)),
            (primaries(P3_CHROMATICITIES),),
        ),
    )
    def test_wide_primaries(self, bits, chunks):
        expected = encoded(np.clip(decoded(FLOATS) @ P3_TO_SRGB.T, 0, 1))
        found = self.read(png(bits, *chunks), bits)
        self.assertAllClose(found, expected, rtol=0, atol=0.6 / 255 if bits == 8 else 2e-4)

    def test_another_white_is_adapted(self):
        d50 = (34567, 35850, *SRGB_CHROMATICITIES[2:])
        found = self.read(png(16, gamma(2.2), primaries(d50)), 16)
        self.assertAllClose(found[0, :3], FLOATS[0, :3], rtol=0, atol=2e-4)

    @parameterized.parameters(
        (cicp(9, 16, 0, 1), "its color space (PQ) is not known and is left out"),
        (cicp(9, 18, 0, 1), "its color space (HLG) is not known and is left out"),
        (cicp(7, 13, 0, 1), "its color space (cICP 7,13) is not known and is left out"),
        (gamma(0.01), "its gamma of 100 is not plausible; it is taken as sRGB"),
    )
    def test_what_is_not_known_is_named(self, chunk, message):
        self.check(png(8, chunk), 8, FLOATS, message)

    def test_a_profile_counts_where_cicp_is_not_known(self):
        data = png(8, cicp(9, 16, 0, 1), OTHER_PROFILE)
        found = self.read(data, 8, "its color space (PQ) is not known and is left out")
        self.assertAllClose(found, FLOATS[..., [1, 0, 2]], rtol=0, atol=1.5 / 255)

    def test_primaries_that_make_no_sense(self):
        message = "its primaries make no sense; those of sRGB are taken"
        data = png(8, gamma(1.0), primaries([0] * 8))
        self.check(data, 8, encoded(FLOATS), message)


if __name__ == "__main__":
    tf.test.main()
