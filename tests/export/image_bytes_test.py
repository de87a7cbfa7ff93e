import io

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.export import image_bytes
from nst_tf.images.pixels import to_uint


def encoded(format, mode="RGB"):
    """A picture as a file."""
    file = io.BytesIO()
    Image.fromarray(to_uint(cut(PHOTOGRAPH, 64, 70), np.uint8)).convert(mode).save(file, format)
    return file.getvalue()


class CodecsTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        ("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "L")
    )
    def test_decodes_as_pillow_does(self, format, mode):
        file = encoded(format, mode)
        expected = np.float32(Image.open(io.BytesIO(file)).convert("RGB"))[np.newaxis] / 255
        self.assertAllEqual(image_bytes.decode("content_bytes", tf.constant(file)), expected)

    @parameterized.parameters(
        (b"", "content_bytes: expected a JPEG or PNG file"),
        (b"GIF89a", "content_bytes: expected a JPEG or PNG file"),
        (b"\xff\xd8\xff\xe0 no JPEG", "(?i)invalid jpeg"),
        (encoded("PNG")[:2000], "Invalid PNG"),
    )
    def test_other_files_are_refused(self, file, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            image_bytes.decode("content_bytes", tf.constant(file))

    def test_encodes_as_rounded_here(self):
        image = np.linspace(0, 1, 64 * 70 * 3, dtype=np.float32).reshape(64, 70, 3)
        file = image_bytes.encode(tf.constant(image[np.newaxis])).numpy()
        self.assertAllEqual(Image.open(io.BytesIO(file)), to_uint(image, np.uint8))


if __name__ == "__main__":
    tf.test.main()
