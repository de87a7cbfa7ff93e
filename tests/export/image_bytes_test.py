import io

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image, ImageOps
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.export import image_bytes
from nst_tf.images.pixels import to_uint


@tf.function
def decode_in_graph(file):
    """A file as exported models decode it."""
    return image_bytes.decode("style_bytes", file)


def encoded(format, mode="RGB"):
    """A picture as a file."""
    file = io.BytesIO()
    Image.fromarray(to_uint(cut(PHOTOGRAPH, 64, 70), np.uint8)).convert(mode).save(file, format)
    return file.getvalue()


def photograph_with_thumbnail():
    """A JPEG whose EXIF data hold another one."""
    picture, file, exif = Image.open(PHOTOGRAPH).resize((60, 40)), io.BytesIO(), Image.Exif()
    exif[0x927C] = encoded("JPEG")
    picture.save(file, "JPEG", exif=exif)
    return file.getvalue()


def progressive():
    """A JPEG of several scans."""
    file = io.BytesIO()
    Image.open(PHOTOGRAPH).resize((60, 40)).save(file, "JPEG", progressive=True)
    return file.getvalue()


class CodecsTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        ("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "L")
    )
    def test_decodes_as_pillow_does(self, format, mode):
        file = encoded(format, mode)
        expected = np.float32(Image.open(io.BytesIO(file)).convert("RGB"))[np.newaxis] / 255
        found = image_bytes.decode("content_bytes", tf.constant(file))
        self.assertAllEqual(found.rgb, expected)
        self.assertAllEqual(found.alpha, np.ones([64, 70]))

    def test_hidden_colors_are_not_seen(self):
        image = np.full([64, 70, 4], [0, 255, 0, 0], np.uint8)
        image[20:40, 10:50] = [200, 100, 50, 255]
        image[25:30, 20:30, 3] = 100
        file = tf.io.encode_png(image)
        found = image_bytes.decode("content_bytes", file)
        self.assertAllEqual(found.alpha, np.float32(image[..., 3]) / 255)
        expected = np.broadcast_to(np.float32([200, 100, 50]) / 255, [1, 64, 70, 3])
        self.assertAllClose(found.rgb, expected, atol=1e-5)
        style = image_bytes.decode_style("style_bytes", file)
        self.assertAllClose(style, expected[:, :20, :40], atol=1e-5)
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "style_bytes: .* all transparent"
        ):
            image_bytes.decode("style_bytes", tf.io.encode_png(np.zeros([9, 9, 4], np.uint8)))

    def test_a_photograph_on_its_side_is_turned(self):
        picture, file, exif = Image.open(PHOTOGRAPH).resize((60, 40)), io.BytesIO(), Image.Exif()
        exif[0x0112] = 6
        picture.save(file, "JPEG", exif=exif)
        found = image_bytes.decode("content_bytes", tf.constant(file.getvalue()))
        expected = np.asarray(ImageOps.exif_transpose(Image.open(file)))
        self.assertEqual(found.alpha.shape, (60, 40))
        self.assertAllEqual(found.rgb[0], np.float32(expected) / 255)

    @parameterized.parameters(
        (b"", "content_bytes: expected a JPEG or PNG file"),
        (b"GIF89a", "content_bytes: expected a JPEG or PNG file"),
        (b"\xff\xd8\xff\xe0 no JPEG \xff\xd9", "(?i)invalid jpeg"),
    )
    def test_other_files_are_refused(self, file, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            image_bytes.decode("content_bytes", tf.constant(file))

    @parameterized.parameters(
        encoded("PNG"), encoded("JPEG"), photograph_with_thumbnail(), progressive()
    )
    def test_a_cut_file_is_named(self, file):
        decode_in_graph(tf.constant(file + b" and what a telephone adds"))
        for length in (len(file) - 2, len(file) * 3 // 4):
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, f"style_bytes: .*cut short.*{length}"
            ):
                decode_in_graph(tf.constant(file[:length]))

    @parameterized.parameters("JPEG", "PNG")
    def test_a_damaged_file_names_its_input_from_a_graph(self, format):
        file = encoded(format)
        file = file[:100] + bytes(300) + file[400:]
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "node .*style_bytes"):
            decode_in_graph(tf.constant(file))

    def test_encodes_as_rounded_here(self):
        image = np.linspace(0, 1, 64 * 70 * 3, dtype=np.float32).reshape(64, 70, 3)
        for alpha in (np.ones([6, 7], np.float32), image[..., 0]):
            file = image_bytes.encode(tf.constant(image[np.newaxis]), tf.constant(alpha)).numpy()
            expected = to_uint(image, np.uint8)
            if alpha.min() < 1:
                expected = np.concatenate([expected, expected[..., :1]], axis=-1)
            picture = Image.open(io.BytesIO(file))
            self.assertAllEqual(picture, expected)
            self.assertEqual(picture.info["srgb"], 0)
            self.assertAllEqual(tf.io.decode_png(file), expected)  # which checks each chunk's sum


if __name__ == "__main__":
    tf.test.main()
