import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from unittest import mock

import av
import numpy as np
import pytest
from absl.testing import absltest, parameterized
from testing import films
from testing.pictures import ROOT

from nst_tf.errors import InputError
from nst_tf.images.samples import notice
from nst_tf.video import av_writer, film_writer
from nst_tf.video.film import Frame, open_film

X264 = {"codec": "libx264", "crf": 18}
SINE = ("aac",)


class FilmWriterTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        notice.cache_clear()
        self.folder = Path(self.create_tempdir().full_path)

    def film(self, name="film.mp4", pictures=None, *, part=None, **options):
        pictures = films.grays() if pictures is None else pictures
        path = films.write(self.folder / name, pictures, **options)
        return open_film(path, size=0, **(part or {}))

    def copy(self, film, name="painted.mp4", *, frames=None, **options):
        """Checks and writes a film of the film's own frames."""
        path = str(self.folder / name)
        options = {**X264, **options}
        film_writer.check_output(path, film, codec=options["codec"], crf=options["crf"])
        film_writer.write_film(path, frames or film.frames(), film, **options)
        return path

    @parameterized.product(
        source=("film.mp4", "film.mkv", "film.mov"), ending=(".mp4", ".mkv", ".mov")
    )
    def test_sound_is_copied_packet_by_packet(self, source, ending):
        film = self.film(source, sound=["aac", "aac"], sound_seconds=0.6)
        painted = self.copy(film, "painted" + ending)
        for track in range(2):
            expected = films.hashes(film.path, track)
            self.assertLen(expected, 30)
            self.assertEqual(films.hashes(painted, track), expected)
        self.assertEqual(films.duration(painted), films.duration(film.path))
        # Sound and pictures stay together.
        offsets = [films.packets(x)[0][0] - films.stamps(x)[0] for x in (film.path, painted)]
        self.assertAlmostEqual(*map(float, offsets), delta=0.0011)
        np.testing.assert_allclose(films.levels(painted), films.levels(film.path), atol=2)

    @parameterized.parameters(
        ("film.mkv", "libopus", ".mp4"), ("film.mkv", "libopus", ".mkv"),
        ("film.mkv", "vorbis", ".mkv"), ("film.mp4", "libmp3lame", ".mp4"),
        ("film.mkv", "pcm_s16le", ".mkv"), ("film.avi", "libmp3lame", ".mkv"),
    )  # fmt: skip
    def test_other_codecs_of_sound(self, source, sound, ending):
        film = self.film(source, sound=[sound], options={"crf": "4", "bf": "0"})
        painted = self.copy(film, "painted" + ending)
        self.assertEqual(films.hashes(painted), films.hashes(film.path))

    @parameterized.parameters("pcm_s16le", "vorbis")
    def test_sound_that_the_ending_does_not_take(self, sound):
        film = self.film("film.mkv", sound=[sound])
        path = str(self.folder / "painted.mp4")
        with self.assertRaisesRegex(
            InputError, f"painted.mp4: .mp4 does not take .*film.mkv .{sound}.*ends in .mkv$"
        ):
            film_writer.check_output(path, film, **X264)

    def test_webm(self):
        webm = {"codec": "libvpx-vp9", "crf": 30}
        film = self.film("film.mkv", sound=["libopus"])
        painted = self.copy(film, "painted.webm", **webm)
        self.assertEqual(films.hashes(painted), films.hashes(film.path))
        path = str(self.folder / "other.webm")
        with self.assertRaisesRegex(InputError, ".webm does not take libx264 at 64 x 48 px"):
            film_writer.check_output(path, film, **X264)
        with self.assertRaisesRegex(InputError, ".webm does not take the sound .*aac.*.mkv"):
            film_writer.check_output(path, self.film(sound=SINE), **webm)

    @parameterized.parameters("painted.mp4", "painted.mkv")
    def test_variable_frame_rate_keeps_its_time_stamps(self, name):
        stamps = [0, 10, 50, 60, 200, 210, 220, 300, 310, 400]
        durations = [*np.diff(stamps).tolist(), 170]
        film = self.film(
            "film.mkv", times=stamps, durations=durations, time_base=Fraction(1, 1000), sound=SINE
        )
        painted = self.copy(film, name)
        self.assertEqual(films.stamps(painted), [Fraction(stamp, 1000) for stamp in stamps])
        again = [*open_film(painted, size=0).frames()]
        self.assertEqual([each.duration * 1000 for each in again], durations)
        with av.open(painted) as opened:
            self.assertAlmostEqual(opened.duration / 1e6, 0.57, delta=0.001)

    def test_sound_that_begins_before_the_pictures(self):
        film = self.film("film.mkv", sound=SINE, picture_delay=0.5, sound_seconds=1.0)
        painted = self.copy(film)
        self.assertEqual(films.hashes(painted), films.hashes(film.path))
        offsets = [films.packets(x)[0][0] - films.stamps(x)[0] for x in (film.path, painted)]
        self.assertAlmostEqual(*map(float, offsets), delta=0.0011)

    def test_sound_that_begins_after_the_pictures(self):
        film = self.film(sound=SINE, sound_delay=0.2)
        painted = self.copy(film)
        self.assertEqual(films.packets(painted), films.packets(film.path))

    def test_the_sound_of_a_part(self):
        film = self.film(
            pictures=films.grays() * 5, sound=SINE, part={"start": 0.5, "seconds": 0.8}
        )
        painted = self.copy(film)
        begin = Fraction(12, 25)
        inside = [
            (time - begin, digest)
            for time, digest in films.packets(film.path)
            if begin <= time < begin + Fraction(8, 10)
        ]
        found = films.packets(painted)
        self.assertLen(found, len(inside))
        for (time, digest), (expected_time, expected) in zip(found, inside, strict=True):
            self.assertEqual(digest, expected)
            self.assertAlmostEqual(float(time), float(expected_time), delta=1e-4)
        self.assertEqual(films.duration(painted), Fraction(8, 10))

    def test_the_sound_of_frames_that_end_early(self):
        film = self.film(pictures=films.grays() * 5, sound=SINE)
        frames = [*film.frames()][:20]
        painted = self.copy(film, frames=frames, is_whole=False)
        found = films.hashes(painted)
        self.assertEqual(found, films.hashes(film.path)[: len(found)])
        self.assertAlmostEqual(float(films.packets(painted)[-1][0]), 0.8, delta=0.025)

    def test_silent_films_just_work(self):
        film = self.film()
        painted = self.copy(film)
        self.assertEqual(films.stamps(painted), films.stamps(film.path))
        with av.open(painted) as opened:
            self.assertEqual(opened.metadata["title"], "A film")

    @parameterized.parameters("libx264", "libx265", "libvpx-vp9", "libsvtav1")
    def test_colors_and_their_tags(self, codec):
        film = self.film(pictures=[films.patches()] * 3)
        painted = self.copy(film, codec=codec, crf=8)
        with av.open(painted) as opened:
            (stream,) = opened.streams.video
            context = stream.codec_context
            frame = next(opened.decode(stream))
            tags = (context.color_primaries, context.color_trc, frame.colorspace, frame.color_range)
            self.assertEqual((tags, frame.format.name), ((1, 1, 1, 1), "yuv420p"))
            rgb = frame.to_ndarray(
                format="rgb24", src_colorspace=1, dst_colorspace=5, interpolation=0x40200
            )
        np.testing.assert_allclose(rgb[16::32, 16::32], films.PATCHES, atol=3)
        again = next(open_film(painted, size=0).frames()).rgb
        np.testing.assert_allclose(again[16::32, 16::32] * 255, films.PATCHES, atol=3)

    @pytest.mark.slow
    def test_encoders_are_silent(self):
        """Also those that write to stderr by themselves."""
        self.film(pictures=[films.gray(90, 128, 128)] * 3, sound=SINE)
        code = (
            "import sys; from nst_tf.video import film, film_writer\n"
            "opened = film.open_film('film.mp4', size=0)\n"
            "for codec in ('libx264', 'libx265', 'libsvtav1', 'libvpx-vp9'):\n"
            "    options = dict(codec=codec, crf=40)\n"
            "    film_writer.check_output('painted.mkv', opened, **options)\n"
            "    film_writer.write_film('painted.mkv', opened.frames(), opened, **options)\n"
        )
        environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("SVT_LOG", None)
        run = [sys.executable, "-c", code]
        found = subprocess.run(run, cwd=self.folder, env=environment, capture_output=True)
        self.assertEqual(found.returncode, 0, found.stderr)
        for words in (b"x265", b"Svt", b"264", b"vpx"):
            self.assertNotIn(words, found.stderr + found.stdout)

    def test_an_old_film_stays_until_the_new_one_is_whole(self):
        film, path = self.film(), self.folder / "painted.mp4"
        path.write_bytes(b"old")

        def frames():
            yield from [*film.frames()][:5]
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            film_writer.write_film(str(path), frames(), film, **X264)
        self.assertEqual(path.read_bytes(), b"old")
        self.assertCountEqual(os.listdir(self.folder), ["film.mp4", "painted.mp4"])

    @parameterized.parameters(*film_writer.FORMATS)
    def test_a_full_disk(self, ending):
        """A limit to the size of files is one, and is reached in the middle."""
        noise = np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
        film = self.film(pictures=[*noise], sound=SINE)
        path = str(self.folder / f"painted{ending}")
        codec = {"codec": "libvpx-vp9" if ending == ".webm" else "libx264", "crf": 4}
        if ending == ".webm":
            film.sound = None  # AAC is none of its codecs
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, limits[1]))
        try:
            with self.assertRaisesRegex(InputError, f"painted{ending}: cannot be written .File to"):
                film_writer.write_film(path, film.frames(), film, **codec)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual(os.listdir(self.folder), ["film.mp4"])

    @parameterized.product(codec=("libx264", "libx265", "libvpx-vp9"), count=(1, 2, 3))
    def test_few_frames(self, codec, count):
        film = self.film(pictures=films.grays(count))
        painted = self.copy(film, codec=codec)
        self.assertEqual(films.stamps(painted), [Fraction(n, 25) for n in range(count)])

    def test_not_a_frame(self):
        film = self.film()
        with self.assertRaisesRegex(InputError, "painted.mp4: not a frame was painted"):
            self.copy(film, frames=iter(()))
        self.assertEqual(os.listdir(self.folder), ["film.mp4"])

    def test_refusals(self):
        film = self.film(sound=SINE)

        def refused(words, name="painted.mp4", film=film, **options):
            with self.assertRaisesRegex(InputError, words):
                film_writer.check_output(str(self.folder / name), film, **{**X264, **options})

        refused(r"painted.avi: unknown ending '.avi'; expected one of .mp4, .mkv", "painted.avi")
        refused("painted: no ending; expected one of", "painted")
        refused(r"^codec=h265: is unknown.*expected one of libx264, libx265", codec="h265")
        refused(r"^codec=aac: is unknown", codec="aac")
        refused(r"^crf=52: expected 0, the best, to 51, for libx264; change --crf", crf=52)
        refused(r"painted.mp4: .*film.mp4 is a file; expected a folder", "film.mp4/painted.mp4")
        tall = mock.Mock(size=(16384, 2), sound=None)
        refused("painted.webp: a side of 16384 px is too long", "painted.webp", tall)
        film_writer.check_output(str(self.folder / "painted.mkv"), film, codec="libx264", crf=0)
        self.assertEqual(os.listdir(self.folder), ["film.mp4"])

    @parameterized.parameters(".gif", ".webp", ".png")
    def test_pictures_have_no_sound_and_say_so(self, ending):
        with self.assertLogs("nst_tf", "INFO") as logs:
            self.copy(self.film(sound=SINE), "painted" + ending)
        self.assertRegex(logs.output[0], f"painted{ending}: has no sound, which {ending} cannot")

    def test_frames_stream(self):
        """None is asked for before those before it are encoded."""
        film = self.film()
        with mock.patch.object(av_writer, "_to_yuv", side_effect=av_writer._to_yuv) as encoded:

            def frames():
                encoded.reset_mock()  # of the check before the run
                for number in range(8):
                    self.assertEqual(encoded.call_count, number)
                    gray = np.full((48, 64, 3), number / 8, np.float32)
                    yield Frame(gray, Fraction(number, 25), Fraction(1, 25))

            self.copy(film, frames=frames())
        self.assertLen(films.stamps(self.folder / "painted.mp4"), 8)


if __name__ == "__main__":
    absltest.main()
