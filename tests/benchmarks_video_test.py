"""The clips of the benchmark of films and its measures, on clips of known faults."""

import sys

import numpy as np
from absl.testing import absltest, parameterized
from testing.pictures import ROOT

from nst_tf.images.color_transfer import to_oklab
from nst_tf.video.optical_flow import Motion

sys.path.insert(0, str(ROOT / "benchmarks"))
import video_clips  # noqa: E402  (after the path to it)
import video_measures  # noqa: E402

_RNG = np.random.default_rng(0)
_PHOTOGRAPH = _RNG.random((48, 64, 3), np.float32)
_TEXTURE = _RNG.random((32, 32, 3), np.float32)
_SIDE = 64


def _nowhere(frame, earlier):
    return Motion(np.zeros((32, 32, 2), np.float32), np.ones((32, 32), np.float32))


def _noise(sigma, count=24):
    return (0.5 + _RNG.normal(0, sigma, (count, 32, 32, 3))).astype(np.float32)


class ClipsTest(parameterized.TestCase):
    def _clips(self):
        return {
            "pan": video_clips.pan(_PHOTOGRAPH, _SIDE),
            "still": video_clips.still(_PHOTOGRAPH, _SIDE),
            "passing": video_clips.passing(_PHOTOGRAPH, _TEXTURE, _SIDE),
        }

    def test_frames_are_of_8_bits_and_even(self):
        for name, clip in self._clips().items():
            with self.subTest(name):
                self.assertEqual(clip.frames.shape, (24, 48, 64, 3))
                self.assertEqual(clip.frames.dtype, np.float32)
                np.testing.assert_allclose(255 * clip.frames, np.rint(255 * clip.frames), atol=1e-4)
        tall = video_clips.still(_PHOTOGRAPH.swapaxes(0, 1)[:, :37], _SIDE)
        self.assertEqual(tall.frames.shape[1:], (64, 36, 3))

    @parameterized.product(name=("pan", "passing"), gap=(1, 8))
    def test_the_motion_is_exact(self, name, gap):
        clip = self._clips()[name]
        self.assertEqual(video_measures.warping_error(clip.frames, clip.motion, gap), 0)
        self.assertGreater(np.mean(np.square(np.diff(clip.frames, axis=0))), 1e-3)
        for number in (gap, 23):
            self.assertGreater(clip.motion(number, number - gap).trust.mean(), 0.4)

    def test_the_object_takes_its_motion_along(self):
        clip = self._clips()["passing"]
        flow, trust = clip.motion(12, 10)
        moving = (flow[..., 0] == -2 * 2) & (trust == 1)
        self.assertGreater(moving.mean(), 0.1)
        self.assertTrue(clip.hidden[12][moving].all())
        # What has just been uncovered has not been seen before.
        new = clip.hidden[10] & ~clip.hidden[12]
        self.assertTrue(new.any())
        self.assertEqual(trust[new].max(), 0)

    def test_the_object_hides_the_background_for_6_to_9_frames(self):
        counts = self._clips()["passing"].hidden.sum(axis=0)
        counts = counts[24, 10:30]  # where it comes and goes
        self.assertBetween(counts.min(), 6, 9)
        self.assertBetween(counts.max(), 6, 9)

    def test_a_still_clip_has_the_noise_alone(self):
        gray = np.full((48, 64, 3), 0.5, np.float32)
        flicker = video_measures.flicker(video_clips.still(gray, _SIDE).frames)
        self.assertAlmostEqual(flicker, (video_clips.SIGMA**2 + (1 / 255) ** 2 / 12) ** 0.5, 4)

    def test_a_films_motion_is_estimated(self):
        smooth = np.kron(_RNG.random((12, 16, 3), np.float32), np.ones((8, 8, 1), np.float32))
        known = video_clips.pan(smooth, 128)
        estimated = video_clips.film(known.frames[:3]).motion(2, 1)
        trusted = estimated.trust * known.motion(2, 1).trust == 1
        errors = np.abs(estimated.flow - known.motion(2, 1).flow)[trusted]
        self.assertGreater(trusted.mean(), 0.5)
        self.assertLess(np.median(errors), 0.2)


class WarpingErrorTest(absltest.TestCase):
    def test_noise_of_known_sigma_has_twice_its_variance(self):
        for gap in (1, 8):
            error = video_measures.warping_error(_noise(0.05), _nowhere, gap)
            self.assertAlmostEqual(error, 2 * 0.05**2, delta=1e-4)

    def test_paint_that_stays_while_the_scene_moves_is_an_error(self):
        clip = video_clips.pan(_PHOTOGRAPH, _SIDE)
        stuck = np.repeat(clip.frames[:1], len(clip.frames), axis=0)
        self.assertGreater(video_measures.warping_error(stuck, clip.motion), 0.01)

    def test_only_what_is_trusted_counts(self):
        frames = np.zeros((3, 32, 32, 3), np.float32)
        frames[1, :16], frames[1, 16:] = 0.5, 0.1

        def motion(frame, earlier):
            trust = np.zeros((32, 32), np.float32)
            trust[16:] = frame == 1
            return _nowhere(frame, earlier)._replace(trust=trust)

        self.assertAlmostEqual(video_measures.warping_error(frames, motion), 0.1**2)
        self.assertTrue(np.isnan(video_measures.warping_error(frames, motion, gap=2)))


class FrameDifferenceTest(absltest.TestCase):
    def test_a_constant_change_of_the_source_costs_nothing(self):
        source = _noise(0.05)
        self.assertAlmostEqual(video_measures.frame_difference(source + 0.25, source), 0)

    def test_paint_that_blinks_costs_the_square_of_its_change(self):
        source = np.zeros((4, 8, 8, 3), np.float32)
        blinking = source + np.float32([0, 0.2, 0, 0.2])[:, np.newaxis, np.newaxis, np.newaxis]
        self.assertAlmostEqual(video_measures.frame_difference(blinking, source), 0.2**2)


class FlickerAndDriftTest(absltest.TestCase):
    def test_flicker_is_the_noise_whatever_the_picture(self):
        picture = _RNG.random((32, 32, 3), np.float32)
        self.assertAlmostEqual(video_measures.flicker(_noise(0.03) + picture), 0.03, delta=3e-4)
        self.assertEqual(video_measures.flicker(np.stack([picture] * 3)), 0)

    def test_drift_is_of_lightness_from_first_to_last(self):
        grays = [0.5, 0.9, 0.4]
        frames = np.stack([np.full((8, 8, 3), gray, np.float32) for gray in grays])
        first, last = (float(to_oklab(frames[index])[0, 0, 0]) for index in (0, 2))
        self.assertAlmostEqual(video_measures.drift(frames), last / first, places=5)
        self.assertAlmostEqual(video_measures.drift(frames[:1]), 1)


class UncoveredTest(absltest.TestCase):
    """A bar of one color passes before a background of another."""

    def setUp(self):
        super().setUp()
        self.hidden = np.zeros((12, 16, 16), bool)
        for number in range(12):
            self.hidden[number, 4:12, max(0, number - 3) : number + 1] = True
        self.frames = np.full((12, 16, 16, 3), 0.2, np.float32)
        self.frames[self.hidden] = 0.8

    def _measure(self, frames, reach=0):
        return video_measures.uncovered(frames.astype(np.float32), self.hidden, reach)

    def test_a_background_that_comes_back_has_no_error(self):
        self.assertEqual(self._measure(self.frames), (0, 0, 0))
        self.assertEqual(self._measure(self.frames).ratio, 0)

    def test_what_is_left_of_the_object_is_found(self):
        before = self.hidden.cumsum(axis=0) > 0
        ghost = np.where((before & ~self.hidden)[..., np.newaxis], 0.2 + 0.25 * 0.6, self.frames)
        measured = self._measure(ghost)
        self.assertAlmostEqual(measured.remains, 0.25, places=5)
        self.assertAlmostEqual(measured.error, 0.15, places=5)
        self.assertAlmostEqual(measured.ratio, 0.15 / video_measures.ROUNDING, places=2)

    def test_paint_beside_the_object_is_left_out_within_reach(self):
        frames = self.frames.copy()
        for number in range(12):
            frames[number, 4:12, max(0, number - 5) : max(0, number - 3)] = 0.5
        self.assertGreater(self._measure(frames).error, 0.1)
        self.assertEqual(self._measure(frames, reach=2), (0, 0, 0))

    def test_background_that_was_only_near_the_object_does_not_count(self):
        frames = self.frames.copy()
        frames[:, 12:14, :12] += np.arange(12)[:, np.newaxis, np.newaxis, np.newaxis] * 0.05
        self.assertEqual(self._measure(frames, reach=2), (0, 0, 0))

    def test_what_stays_of_the_object_is_found_beyond_reach(self):
        before = self.hidden.cumsum(axis=0) > 0
        ghost = np.where((before & ~self.hidden)[..., np.newaxis], 0.2 + 0.25 * 0.6, self.frames)
        self.assertAlmostEqual(self._measure(ghost, reach=2).remains, 0.25, places=5)

    def test_boiling_paint_is_no_ghost(self):
        measured = self._measure(self.frames + _RNG.normal(0, 0.05, self.frames.shape))
        self.assertAlmostEqual(measured.elsewhere, 0.05 * 2**0.5, delta=0.005)
        self.assertAlmostEqual(measured.ratio, 1, delta=0.1)
        self.assertLess(abs(measured.remains), 0.05)

    def test_the_gap_in_frames_is_the_same_elsewhere(self):
        brighter = np.arange(12) * 0.01
        measured = self._measure(self.frames + brighter[:, np.newaxis, np.newaxis, np.newaxis])
        self.assertAlmostEqual(measured.elsewhere, 5 * 0.01, places=5)
        self.assertAlmostEqual(measured.ratio, 1, places=4)

    def test_a_clip_in_which_nothing_comes_back_is_refused(self):
        with self.assertRaisesRegex(ValueError, "hidden"):
            video_measures.uncovered(self.frames, np.zeros_like(self.hidden))
        with self.assertRaisesRegex(ValueError, "hidden"):
            self._measure(self.frames, reach=16)


if __name__ == "__main__":
    absltest.main()
