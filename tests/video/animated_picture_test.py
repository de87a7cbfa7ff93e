import io
from fractions import Fraction
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.image_files import SWAPPED

from nst_tf.errors import InputError
from nst_tf.images.samples import notice
from nst_tf.video import film_writer
from nst_tf.video.film import Frame, open_film

COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 250, 250)]
DURATIONS = [40, 500, 100, 1000]


def pictures(mode="RGB", size=(64, 48)):
    return [Image.new(mode, size, color) for color in COLORS]


class AnimatedPictureTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        notice.cache_clear()
        self.folder = Path(self.create_tempdir().full_path)

    def write(self, name, frames=None, **options):
        first, *rest = frames or pictures()
        path = self.folder / name
        options = {"duration": DURATIONS, **options}
        first.save(path, save_all=True, append_images=rest, **options)
        return str(path)

    @parameterized.parameters("film.gif", "film.webp", "film.png", "film.apng", "film.avif")
    def test_frames_with_their_durations(self, name):
        film = open_film(self.write(name), size=0)
        self.assertEqual((film.size, film.num_frames, film.sound), ((48, 64), 4, None))
        self.assertAlmostEqual(float(film.rate), 4 / 1.64)
        frames = [*film.frames()]
        self.assertEqual([1000 * each.duration for each in frames], DURATIONS)
        self.assertEqual([1000 * each.time for each in frames], [0, 40, 540, 640])
        for frame, color in zip(frames, COLORS, strict=True):
            self.assertEqual((frame.rgb.dtype, frame.rgb.shape), (np.float32, (48, 64, 3)))
            np.testing.assert_allclose(frame.rgb[20, 20] * 255, color, atol=9)

    def test_a_part_at_a_rate_and_a_size(self):
        film = open_film(self.write("film.gif"), size=32, start=0.3, seconds=0.5, fps=10)
        frames = [*film.frames()]
        self.assertEqual(film.size, (24, 32))
        self.assertEqual(len(frames), film.num_frames)
        shown = [COLORS.index(tuple(np.round(each.rgb[9, 9] * 255).astype(int))) for each in frames]
        self.assertEqual(shown, [1, 1, 1, 1, 1])
        with self.assertRaisesRegex(InputError, "^start=2: .*film.gif ends before that"):
            open_film(film.path, size=0, start=2)

    @parameterized.parameters("film.webp", "film.png", "film.gif")
    def test_what_is_transparent_is_white(self, name):
        frames = pictures("RGBA")
        for frame in frames:
            frame.paste((9, 9, 9, 0), (32, 0, 64, 48))
        film = open_film(self.write(name, frames, disposal=2, lossless=True), size=0)
        for frame, color in zip(film.frames(), COLORS, strict=True):
            np.testing.assert_allclose(frame.rgb[20, 50], 1, atol=0.02)
            np.testing.assert_allclose(frame.rgb[20, 10] * 255, color, atol=9)

    def test_no_duration_is_that_of_browsers(self):
        film = open_film(self.write("film.gif", duration=0), size=0)
        self.assertEqual({each.duration for each in film.frames()}, {Fraction(1, 10)})

    def test_a_picture_for_who_shows_no_animations_is_no_frame(self):
        path = self.write("film.png", default_image=True, duration=DURATIONS[1:])
        frames = [*open_film(path, size=0).frames()]
        self.assertLen(frames, 3)
        np.testing.assert_allclose(frames[0].rgb[9, 9] * 255, COLORS[1], atol=1)

    def test_its_profile_is_applied(self):
        path = self.write("film.png", icc_profile=SWAPPED)
        film = open_film(path, size=0)
        np.testing.assert_allclose(next(film.frames()).rgb[9, 9], [0, 1, 0], atol=0.02)

    def test_odd_sides_become_even(self):
        film = open_film(self.write("film.gif", pictures(size=(65, 33))), size=0)
        self.assertEqual(next(film.frames()).rgb.shape, (32, 64, 3))

    def test_the_fingerprint_is_that_of_the_bytes(self):
        prints = [open_film(self.write("film.gif"), size=0).fingerprint for _ in range(2)]
        other = self.write("film.gif", pictures()[::-1])
        self.assertEqual(*prints)
        self.assertNotEqual(open_film(other, size=0).fingerprint, prints[0])

    def test_a_damaged_end(self):
        noise = np.random.default_rng(0).integers(0, 256, (4, 48, 64, 3), dtype=np.uint8)
        path = Path(self.write("film.png", [*map(Image.fromarray, noise)]))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 5 // 8])
        with self.assertLogs("nst_tf", "WARNING") as logs:
            film = open_film(str(path), size=0)
            frames = [*film.frames()]
        self.assertLen(frames, 2)
        self.assertIn("is damaged or ends early, in frame 3 of 4", "\n".join(logs.output))

    @parameterized.parameters("a.png", "a.jpg", "a.gif", "a.webp", "a.tif", "a.bmp", "a.avif")
    def test_still_pictures(self, name):
        Image.new("RGB", (64, 48), "red").save(self.folder / name)
        with self.assertRaisesRegex(InputError, f"{name}: is a still picture; .*stylize.py$"):
            open_film(str(self.folder / name), size=0)

    def test_pages_are_no_film(self):
        with self.assertRaisesRegex(InputError, "a.tif: is a still picture"):
            open_film(self.write("a.tif", pictures()), size=0)

    def test_damaged_headers(self):
        path = self.folder / "film.gif"
        path.write_bytes(Path(self.write("film.gif")).read_bytes()[:9])
        with self.assertRaisesRegex(InputError, "film.gif: is no picture, or is damaged"):
            open_film(str(path), size=0)


class WritersTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def write(self, name, frames):
        film = absltest.mock.Mock(size=frames[0].rgb.shape[:2], sound=None)
        path = str(self.folder / name)
        film_writer.check_output(path, film, codec="none", crf=0)
        film_writer.write_film(path, frames, film, codec="none", crf=0)
        return path

    def frames(self, count=6, durations=(40, 500, 100)):
        """A bright square that moves over a ramp."""
        ramp = np.linspace(0, 1, 64, dtype=np.float32) * np.ones((48, 1), np.float32)
        time = Fraction(0)
        frames = []
        for number in range(count):
            rgb = np.stack([ramp, ramp[:, ::-1], 0.3 + 0 * ramp], axis=-1)
            rgb[10:20, 5 * number : 5 * number + 10] = 0.9
            duration = Fraction(durations[number % len(durations)], 1000)
            frames.append(Frame(rgb, time, duration))
            time += duration
        return frames

    @parameterized.parameters(
        ("a.gif", 0.06), ("a.webp", 0.06), ("a.png", 0.002), ("a.apng", 0.002)
    )
    def test_round_trip(self, name, delta):
        frames = self.frames()
        film = open_film(self.write(name, frames), size=0)
        found = [*film.frames()]
        for frame, expected in zip(found, frames, strict=True):
            self.assertEqual(frame[1:], expected[1:])
            self.assertLess(float(np.abs(frame.rgb - expected.rgb).mean()), delta)
        with Image.open(film.path) as opened:
            self.assertEqual(opened.info["loop"], 0)

    @parameterized.parameters("a.gif", "a.webp", "a.png")
    def test_one_frame(self, name):
        path = self.write(name, self.frames(1))
        with Image.open(path) as opened:
            rgb = np.asarray(opened.convert("RGB")) / 255
        self.assertLess(float(np.abs(rgb - self.frames(1)[0].rgb).mean()), 0.06)

    @parameterized.parameters("a.gif", "a.webp", "a.png")
    def test_times_do_not_drift(self, name):
        third = Fraction(1, 30)
        frames = [each._replace(time=n * third, duration=third) for n, each in
                  enumerate(self.frames(60))]  # fmt: skip
        found = [*open_film(self.write(name, frames), size=0).frames()]
        self.assertAlmostEqual(float(found[-1].time), 59 / 30, delta=0.02)

    @parameterized.parameters("a.gif", "a.webp", "a.png")
    def test_frames_are_not_kept(self, name):
        """What is written grows with each frame that is asked for."""
        sizes = []
        target = io.BytesIO()

        def frames():
            for frame in self.frames(8):
                sizes.append(target.tell())
                yield frame

        film_writer._PICTURES[Path(name).suffix][0](target, frames())
        self.assertLen(sizes, 8)
        self.assertGreater(np.diff(sizes[1:]).min(), 0)

    def test_a_gif_stays_calm_where_nothing_moves(self):
        found = [*open_film(self.write("a.gif", self.frames(6)), size=0).frames()]
        for frame in found[1:]:
            np.testing.assert_array_equal(frame.rgb[24:], found[0].rgb[24:])

    def test_a_gif_takes_new_colors_after_a_cut(self):
        rng = np.random.default_rng(0)
        green, red = rng.random((2, 48, 64, 1), np.float32)
        zero = np.zeros_like(green)
        tenth = Fraction(1, 10)
        shots = [np.concatenate(x, axis=-1) for x in ([zero, green, zero], [red, zero, red])]
        frames = [Frame(shots[n // 3], n * tenth, tenth) for n in range(6)]
        found = [*open_film(self.write("a.gif", frames), size=0).frames()]
        for frame, expected in zip(found, frames, strict=True):
            self.assertLess(float(np.abs(frame.rgb - expected.rgb).mean()), 0.01)


if __name__ == "__main__":
    absltest.main()
