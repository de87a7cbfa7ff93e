import io

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.image_files import encode_pillow

from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.samples import notice

RANDOM = np.random.default_rng(0)
Y, X = np.mgrid[0:80, 0:112]
PHOTO = np.stack([128 + 100 * np.sin(X / 7), 128 + 100 * np.cos(Y / 9), (X + Y) % 256], -1)
PHOTO = np.clip(PHOTO + RANDOM.normal(0, 12, PHOTO.shape), 0, 255).astype(np.uint8)
WHITE = np.full_like(PHOTO, 255)
KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "full_color": {"subsampling": 0},
    "with_thumbnail": {"exif": b"Exif\0\0" + encode_pillow(PHOTO[:16, :16], "RGB", "JPEG")},
}


def jpeg(pixels, kind):
    return encode_pillow(pixels, "RGB", "JPEG", quality=90, **KINDS[kind])


class JpegEndTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.product(kind=list(KINDS), pixels=(PHOTO, WHITE), cut=(1, 2))
    def test_only_the_end_marker_is_missing(self, kind, pixels, cut):
        notice.cache_clear()
        data = jpeg(pixels, kind)
        whole = image_io.read("file", data)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            found = image_io.read("file", data[:-cut])
        self.assertAllEqual(found.rgb, whole.rgb)
        message = "file: lacks its end marker; the picture is whole"
        self.assertEqual([record.getMessage() for record in logs.records], [message])

    @parameterized.product(kind=list(KINDS), cut=(4, 6, 10, 12, 20, 50, 100, 0.5))
    def test_cut_scan_is_refused(self, kind, cut):
        data = jpeg(PHOTO, kind)
        with self.assertRaisesRegex(InputError, "is damaged or cut short"):
            image_io.read("file", data[: -int(cut if cut >= 1 else cut * len(data))])

    def test_missing_scans_are_refused(self):
        data = jpeg(PHOTO, "progressive")
        starts = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
        self.assertGreater(len(starts), 5)
        for start in starts:
            with self.assertRaisesRegex(InputError, "is damaged or cut short"):
                image_io.read("file", data[:start])

    def test_gray_and_cmyk(self):
        image = Image.fromarray(PHOTO)
        for mode in ("L", "CMYK"):
            file = io.BytesIO()
            image.convert(mode).save(file, "JPEG")
            whole = image_io.read("file", file.getvalue())
            self.assertAllEqual(image_io.read("file", file.getvalue()[:-2]).rgb, whole.rgb)
            with self.assertRaisesRegex(InputError, "is damaged or cut short"):
                image_io.read("file", file.getvalue()[:-12])


if __name__ == "__main__":
    tf.test.main()
