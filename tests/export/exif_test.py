import io

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image, ImageOps

from nst_tf.export import exif

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
# One graph for all files.
orientation = tf.function(exif.orientation, input_signature=[tf.TensorSpec([], tf.string)])
upright = tf.function(exif.turn_upright, reduce_retracing=True)


def jpeg(number, little_endian=True, before=()):
    """A JPEG file whose EXIF data has that orientation as its second tag."""
    order = "little" if little_endian else "big"

    def entry(tag, value):
        fields = ((tag, 2), (3, 2), (1, 4), (value, 2), (0, 2))
        return b"".join(number.to_bytes(count, order) for number, count in fields)

    directory = (2).to_bytes(2, order) + entry(0x0100, 7) + entry(0x0112, number) + bytes(4)
    header = (b"II" if little_endian else b"MM") + (42).to_bytes(2, order)
    data = b"Exif\0\0" + header + (8).to_bytes(4, order) + directory
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG")
    start, rest = file.getvalue()[:20], file.getvalue()[20:]  # with the JFIF segment
    segments = [(0xE2, segment) for segment in before] + [(0xE1, data)]
    for marker, content in segments:
        start += bytes([0xFF, marker]) + (2 + len(content)).to_bytes(2, "big") + content
    return start + rest


class OrientationTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.product(number=[*range(1, 9)], little_endian=[True, False])
    def test_pictures_are_turned_as_pillow_turns_them(self, number, little_endian):
        file = jpeg(number, little_endian, before=[b"Exif", bytes(40_000)])
        self.assertEqual(orientation(file), number)
        with Image.open(io.BytesIO(file)) as picture:
            self.assertEqual(picture.getexif()[0x0112], number)
            expected = np.asarray(ImageOps.exif_transpose(picture))
            self.assertAllEqual(upright(np.asarray(picture), tf.constant(number)), expected)

    @parameterized.parameters(
        (jpeg(0),),
        (jpeg(9),),
        (jpeg(6).replace(b"Exif\0\0", b"http\0\0"),),
        (jpeg(6)[:30],),
        (jpeg(6).replace(b"II*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff"),),
        (b"\xff\xd8\xff\xe0\0\0",),
        (b"\xff\xd8",),
        (b"",),
    )
    def test_others_are_upright(self, file):
        self.assertEqual(orientation(file), 1)

    def test_damaged_data_gives_an_orientation(self):
        generator, file = np.random.default_rng(0), jpeg(6)
        found = set()
        for _ in range(100):
            damaged = bytearray(file)
            for position in generator.integers(2, 80, 3):
                damaged[position] = generator.integers(256)
            found.add(int(orientation(bytes(damaged[: generator.integers(100)]))))
        self.assertContainsSubset({1, 6}, found)
        self.assertContainsSubset(found, range(1, 9))


if __name__ == "__main__":
    tf.test.main()
