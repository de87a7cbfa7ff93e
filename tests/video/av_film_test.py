import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from absl.testing import absltest, parameterized
from testing import films

from nst_tf.errors import InputError
from nst_tf.images.samples import notice
from nst_tf.video.film import open_film

LEVELS = [20 + 20 * number for number in range(10)]


def levels(film):
    return [round(float(frame.rgb.mean()) * 255) for frame in film.frames()]


def times(film):
    """Time and duration of each frame, in milliseconds."""
    return [(float(1000 * x.time), float(1000 * x.duration)) for x in film.frames()]


class AvFilmTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        notice.cache_clear()
        self.folder = Path(self.create_tempdir().full_path)

    def write(self, name="film.mp4", pictures=None, **options):
        pictures = films.grays() if pictures is None else pictures
        return films.write(self.folder / name, pictures, **options)

    def assert_levels(self, film, expected, delta=2):
        np.testing.assert_allclose(levels(film), expected, atol=delta)

    @parameterized.parameters("film.mp4", "film.mkv", "film.mov", "film.ts", "film.avi")
    def test_frames_with_their_times(self, name):
        options = {"crf": "4", "bf": "0"} if name == "film.avi" else None
        film = open_film(self.write(name, options=options), size=0)
        self.assertEqual((film.size, film.num_frames, film.rate), ((48, 64), 10, 25))
        for _ in range(2):
            self.assert_levels(film, LEVELS)
        self.assertEqual(times(film), [(40 * number, 40) for number in range(10)])
        (first, *_) = film.frames()
        self.assertEqual((first.rgb.dtype, first.rgb.shape), (np.float32, (48, 64, 3)))

    def test_the_fingerprint_is_that_of_the_bytes(self):
        first, second = self.write(), self.write("other.mp4", films.grays(9))
        copy = self.folder / "copy.mp4"
        copy.write_bytes(Path(first).read_bytes())
        prints = [open_film(str(path), size=0).fingerprint for path in (first, second, copy)]
        self.assertEqual(prints[0], prints[2])
        self.assertNotEqual(prints[0], prints[1])

    @parameterized.parameters("film.mp4", "film.mkv")
    def test_variable_frame_rate(self, name):
        stamps = [0, 10, 50, 60, 200, 210, 220, 300, 310, 400]
        durations = [*np.diff(stamps).tolist(), 170]
        path = self.write(
            name, times=stamps, durations=durations, time_base=Fraction(1, 1000),
            options={"crf": "4", "bf": "0"},
        )  # fmt: skip
        self.assertEqual(times(open_film(path, size=0)), [*zip(stamps, durations, strict=True)])

    def test_a_part(self):
        film = open_film(self.write(), size=0, start=0.13, seconds=0.16)
        self.assert_levels(film, LEVELS[3:7])
        self.assertEqual(times(film), [(40 * number, 40) for number in range(4)])
        self.assertEqual(film.num_frames, 4)

    def test_a_part_far_behind_key_frames(self):
        path = self.write(pictures=films.grays(10) * 5)
        film = open_film(path, size=0, start=1.24)
        self.assert_levels(film, (LEVELS * 5)[31:])

    def test_another_frame_rate(self):
        film = open_film(self.write(), size=0, fps=12.5)
        self.assert_levels(film, LEVELS[::2])
        self.assertEqual(times(film), [(80 * number, 80) for number in range(5)])
        self.assertEqual((film.num_frames, film.rate), (5, Fraction(25, 2)))

    @parameterized.product(
        matrix=(1, 6), color_range=(1, 2), pixel_format=("yuv420p", "yuv444p", "yuv420p10le")
    )
    def test_colors(self, matrix, color_range, pixel_format):
        path = self.write(
            pictures=[films.patches()] * 2, colors=(matrix, color_range, 1, 1),
            pixel_format=pixel_format,
        )  # fmt: skip
        (frame, _) = open_film(path, size=0).frames()
        centers = frame.rgb[16::32, 16::32] * 255
        np.testing.assert_allclose(centers, films.PATCHES, atol=2.5)

    @parameterized.parameters((16, 0.58), (18, 0.75))
    def test_hdr_is_mapped_and_said(self, transfer, white):
        """Reference white in 10 bits of limited range becomes nearly white."""
        luma = round(64 + 876 * white)
        planes = np.full((72, 64), 512, np.uint16)
        planes[:48] = luma
        path = self.write(
            pictures=[planes] * 2, pixel_format="yuv420p10le", codec="libx265",
            colors=(9, 1, transfer, 9), options={"x265-params": "log-level=none", "crf": "4"},
        )  # fmt: skip
        with self.assertLogs("nst_tf", "INFO") as logs:
            film = open_film(path, size=0)
        self.assertRegex(logs.output[0], r"is HDR \((PQ|HLG)\); its tones are mapped to sRGB")
        (frame, _) = film.frames()
        self.assertBetween(float(frame.rgb.mean()), 0.94, 0.97)
        self.assertLess(float(np.ptp(frame.rgb)), 0.02)

    def test_sizes(self):
        path = self.write(pictures=[films.gray(100, 90, 160)] * 2)
        for size, expected in ((0, (90, 160)), (100, (56, 100)), (75, (42, 74)), (320, (180, 320))):
            film = open_film(path, size=size)
            self.assertEqual((film.size, next(film.frames()).rgb.shape[:2]), (expected, expected))

    def test_pixels_become_square(self):
        path = self.write(pictures=[films.patches()] * 2, aspect=Fraction(2, 1))
        film = open_film(path, size=0)
        self.assertEqual(film.size, (64, 192))
        frame = next(film.frames())
        np.testing.assert_allclose(frame.rgb[16::32, 32::64] * 255, films.PATCHES, atol=2.5)

    @parameterized.parameters(
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((0, -1, 1, 0), np.rot90),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
    )
    def test_rotation(self, matrix, turned):
        path = self.write(pictures=[films.patches()] * 2)
        films.set_matrix(path, matrix)
        film = open_film(path, size=0)
        expected = turned(films.PATCHES)
        self.assertEqual(film.size, (32 * expected.shape[0], 32 * expected.shape[1]))
        frame = next(film.frames())
        np.testing.assert_allclose(frame.rgb[16::32, 16::32] * 255, expected, atol=2.5)

    def test_a_film_that_ends_early(self):
        path = self.write("film.mp4", films.grays() * 10, container={"movflags": "faststart"})
        data = Path(path).read_bytes()
        Path(path).write_bytes(data[: len(data) * 2 // 3])
        film = open_film(path, size=0)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            found = levels(film)
        self.assertBetween(len(found), 15, 90)
        np.testing.assert_allclose(found[:-2], (LEVELS * 10)[: len(found) - 2], atol=2)
        self.assertRegex("\n".join(logs.output), r"ends early, after \d.\d\d of 4.00 s; what is")

    def test_damaged_bytes(self):
        noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
        path = self.write(pictures=[*noise], options={"crf": "20", "g": "5"})
        data = bytearray(Path(path).read_bytes())
        middle = len(data) // 2
        data[middle : middle + 4000] = np.random.default_rng(1).bytes(4000)
        Path(path).write_bytes(data)
        film = open_film(path, size=0)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            count = len(levels(film))
        self.assertBetween(count, 25, 40)
        self.assertLen(logs.output, 1)
        self.assertIn("is damaged; the frames that can be decoded are taken", logs.output[0])

    def test_a_whole_film_is_without_a_word(self):
        for name in ("film.mp4", "film.mkv"):
            film = open_film(self.write(name, sound=["aac"]), size=0)
            with self.assertNoLogs("nst_tf", "WARNING"):
                levels(film)

    def test_refusals(self):
        def refused(name, data, *expected):
            path = self.folder / name
            if data is not None:
                path.write_bytes(data)
            with self.assertRaises(InputError) as caught:
                open_film(str(path), size=0)
            for words in (str(path), *expected):
                self.assertIn(words, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))

        refused("none.mp4", None, "no such file")
        refused("empty.mp4", b"", "is empty (0 bytes)")
        refused("noise.mp4", np.random.default_rng(0).bytes(5000), "is no film, or is damaged")
        refused("words.txt", b"Some words.\n" * 500, "is no film")
        whole = Path(self.write(sound=["aac"])).read_bytes()
        refused("cut.mp4", whole[: len(whole) // 2], "is no film, or is damaged")
        sound = io.BytesIO()
        with av.open(sound, "w", format="matroska") as output:
            track = output.add_stream("aac", rate=films.SAMPLE_RATE)
            films.encode_sound(output, track, films.sine(0.1))
        refused("song.mka", sound.getvalue(), "has no pictures, only sound")

    @parameterized.parameters("film.mp4", "film.mkv")
    def test_a_part_behind_the_end(self, name):
        with self.assertRaisesRegex(InputError, r"^start=3: .*film.* ends before that, after 0.40"):
            open_film(self.write(name), size=0, start=3)

    def test_without_the_package(self):
        path = self.write()
        with (
            absltest.mock.patch.dict("sys.modules", av=None),
            self.assertRaisesRegex(InputError, "needs the package av; pip install -r requirements"),
        ):
            open_film(path, size=0)


if __name__ == "__main__":
    absltest.main()
