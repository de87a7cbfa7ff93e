from dataclasses import replace

import numpy as np
from absl.testing import absltest, parameterized
from testing.painter import PainterTest, at_one_go, disc, request
from testing.pictures import PAINTING, cut

from nst_tf import Style
from nst_tf.images.image_io import Picture
from nst_tf.images.pixels import resize

KEEP = np.pad(np.ones([24, 16], np.float32), [(12, 12), (32, 16)])


def with_settings(asked, **settings):
    return replace(asked, settings=replace(asked.settings, **settings))


class ContinuationTest(PainterTest):
    @parameterized.parameters((1, 1), (1, 3), (2, 1))
    def test_stopped_run_goes_to_the_end_of_one_that_was_not(self, scale, step):
        asked = request(96, 72, size=96, scales=2, steps=4, init="noise")
        stopped = self.paint_and_stop(asked, scale, step)
        self.assertFalse(stopped.is_finished)
        self.assertEqual(stopped.record["stopped"], {"scale": scale - 1, "steps": step})
        painted = self.go_on(stopped)
        self.assertEqual(painted.picture.tobytes(), at_one_go(asked))
        self.assertTrue(painted.is_finished)
        self.assertNoCommonElements(painted.record, ("stopped", "continued"))
        self.assertGreater(painted.seconds, stopped.seconds)

    @parameterized.named_parameters(
        ("landscape", request(48, 64, size=96)),
        ("portrait", request(64, 43, size=96)),
        ("transparent", request(48, 64, alpha=disc(48, 64), size=96)),
        ("masked", replace(request(48, 64, size=96), keep_mask=KEEP)),
        ("larger", request(100, 150, size=150)),
        ("of the photograph's size", request(90, 120, size=0)),
    )
    def test_twice_as_large_is_a_run_of_that_size(self, asked):
        size = 2 * (asked.settings.size or 120)
        larger = with_settings(asked, size=size)
        painted = self.go_on(self.paint(asked), larger)
        self.assertEqual(max(painted.picture.shape), size)
        self.assertEqual(painted.picture.tobytes(), at_one_go(larger))
        self.assertEqual(painted.request.settings, larger.settings)
        self.assertEqual(painted.record["settings"]["size"], size)
        self.assertLen(painted.record["plan"]["scales"], 2)
        self.assertNotIn("continued", painted.record)

    def test_stopped_run_twice_as_large(self):
        asked = request(48, 64, size=96)
        larger = with_settings(asked, size=192)
        painted = self.go_on(self.paint_and_stop(asked, 1, 2), larger)
        self.assertEqual(painted.picture.tobytes(), at_one_go(larger))

    @parameterized.named_parameters(
        ("one scale", dict(size=96, scales=1)), ("a coarsest scale of another size", dict(size=64))
    )
    def test_twice_as_large_where_pyramids_differ(self, settings):
        asked = request(**settings)
        larger = with_settings(asked, size=2 * settings["size"])
        painted = self.go_on(self.paint(asked), larger)
        self.assertEqual(max(painted.picture.shape), 2 * settings["size"])
        self.assertEqual(painted.record["continued"], {"from": "picture", "steps": [3]})

    def test_finished_run_takes_as_many_steps_again_at_its_last_scale(self):
        asked = request(size=96, scales=1)
        painted = self.go_on(self.paint(asked))
        twice = with_settings(asked, steps=6)
        self.assertEqual(painted.picture.tobytes(), at_one_go(twice))
        self.assertNotIn("continued", painted.record)
        self.assertEqual(painted.record["settings"]["steps"], 6)
        self.assertEqual(painted.request.settings, asked.settings)
        again = self.go_on(painted)
        self.assertEqual(again.picture.tobytes(), at_one_go(with_settings(asked, steps=9)))

    def test_steps_that_no_single_run_takes_are_on_record(self):
        asked = request(size=96, scales=2, steps=5)
        painted = self.go_on(self.go_on(self.paint(asked)))
        self.assertEqual(painted.record["continued"], {"from": "state", "steps": [5, 9]})
        self.assertNotIn("stopped", painted.record)
        larger = self.go_on(self.paint(asked), with_settings(asked, steps=6))
        self.assertEqual(larger.record["continued"], {"from": "state", "steps": [5, 6]})

    def test_more_steps_are_asked_of_a_stopped_run(self):
        asked = request(size=96, scales=2)
        painted = self.go_on(self.paint_and_stop(asked, 1, 2), with_settings(asked, steps=4))
        self.assertEqual(painted.picture.tobytes(), at_one_go(with_settings(asked, steps=4)))
        self.assertNotIn("continued", painted.record)

    @parameterized.named_parameters(
        ("strength", lambda asked: replace(asked, settings=asked.settings.with_strength(0.2))),
        ("noise", lambda asked: with_settings(asked, init_noise=0.5)),
        ("painting", lambda asked: replace(asked, styles=(Style(cut(PAINTING, 64, 64)),))),
        ("weight", lambda asked: replace(asked, styles=(replace(asked.styles[0], weight=2),))),
        ("mask", lambda asked: replace(asked, keep_mask=KEEP)),
        ("size", lambda asked: with_settings(asked, size=88)),
    )
    def test_from_the_picture_where_anything_else_changes(self, change):
        asked = request(size=96, scales=2, steps=5)
        first = self.paint(asked)
        changed = change(asked)
        painted = self.go_on(first, changed)
        expected = replace(
            with_settings(changed, scales=1, steps=3, init_noise=0.0), keep_mask=changed.keep_mask
        )
        self.assertEqual(painted.picture.tobytes(), at_one_go(expected, start=first.picture))
        self.assertEqual(painted.record["continued"], {"from": "picture", "steps": [3]})
        self.assertEqual(painted.record["settings"]["scales"], 2)
        self.assertEqual(painted.request, changed)

    def test_run_from_a_picture_is_resumed_itself(self):
        asked = request(size=96, scales=2, steps=5)
        changed = replace(asked, settings=asked.settings.with_strength(0.2))
        first = self.paint(asked)
        whole = self.go_on(self.go_on(first, changed))
        self.assertEqual(whole.record["continued"], {"from": "picture", "steps": [6]})
        expected = with_settings(changed, scales=1, steps=6)
        self.assertEqual(whole.picture.tobytes(), at_one_go(expected, start=first.picture))
        self.assertIsNotNone(whole.record["images"]["start"])

    def test_equal_request_in_other_arrays(self):
        asked = request(size=96)
        photograph = Picture(asked.photograph.rgb.copy(), None, 8)
        copied = replace(asked, photograph=photograph, styles=(Style(asked.styles[0].rgb.copy()),))
        painted = self.go_on(self.paint(asked), copied)
        self.assertEqual(painted.picture.tobytes(), at_one_go(with_settings(asked, steps=6)))

    def test_pictures_of_the_same_files_that_are_read_for_another_size(self):
        asked = replace(request(48, 64, size=96), sources=("a", "b"))
        rgb = np.asarray(resize(asked.photograph.rgb, 90, 120))
        reread = with_settings(replace(asked, photograph=Picture(rgb, None, 8)), size=192)
        larger = self.go_on(self.paint(asked), reread)
        self.assertEqual(larger.record["continued"], {"from": "state", "steps": [3, 1]})
        again = self.go_on(larger)
        self.assertEqual(again.record["continued"], {"from": "state", "steps": [3, 2]})
        other = replace(asked, settings=reread.settings, sources=("a", "c"))
        another = self.go_on(again, other)
        self.assertEqual(another.record["continued"]["from"], "picture")

    def test_state_that_is_gone_or_damaged_or_another(self):
        asked = request(size=96)
        first = self.paint(asked)
        other = self.paint_and_stop(asked, 1, 2)
        for data in (None, b"PK\3\4", other.saved.path.read_bytes()):
            first.saved.path.unlink(missing_ok=True)
            if data:
                first.saved.path.write_bytes(data)
            painted = self.go_on(first)
            self.assertEqual(painted.record["continued"], {"from": "picture", "steps": [3]})

    def test_state_that_cannot_be_written(self):
        asked = request(size=96)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            path = self.folder / "no folder"
            path.write_bytes(b"")
            first = self.painter.paint(asked, path / "a.checkpoint").result()
        self.assertIn("going on will begin from the picture", logs.output[0])
        self.assertTrue(first.is_finished)
        self.assertEqual(first.picture.tobytes(), at_one_go(asked))
        self.assertEqual(self.go_on(first).record["continued"]["from"], "picture")

    def test_from_a_fast_picture(self):
        asked = request(size=96)
        fast = self.painter.fast(asked, long_side=64)
        painted = self.go_on(fast)
        self.assertEqual(painted.picture.shape, (72, 96, 3))
        self.assertEqual(
            painted.picture.tobytes(), at_one_go(with_settings(asked, scales=1), start=fast.picture)
        )


if __name__ == "__main__":
    absltest.main()
