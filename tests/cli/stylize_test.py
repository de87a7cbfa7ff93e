import contextlib
import errno
import json
import re
import shutil
from dataclasses import replace
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES
from testing.scripts import SMALL, file_size_limit
from testing.stylize import StylizeTest

from nst_tf import InputError, coarse_to_fine
from nst_tf.images import image_io
from nst_tf.run import record

MASKS = SAMPLES / "mask"


class OutputTest(StylizeTest):
    def test_picture_record_and_log(self):
        flags = {"content": "a.jpg", "recipe": "default", "style_blend": [], "style_layers": None}
        out, errors = self.stylize((), None, flags, loss_log=self.log)
        self.assertRegex(
            out,
            r"\A.*memory: about .*\n"
            r"48 x 36 px, scale 1/1 step 1/2 loss \S+: style \S+ content 0\n"
            r"48 x 36 px, scale 1/1 step 2/2 loss \S+: style \S+ content \S+ 0:00:00 left\n"
            rf"painted {self.output} in 0:\d\d:\d\d; its record is {self.record}\n\Z",
        )
        self.assertEqual(errors, "")
        with Image.open(self.output) as picture:
            self.assertEqual((picture.format, picture.size, picture.mode), ("PNG", (48, 36), "RGB"))
        self.assertEqual(self.steps_logged(), [(0, 0), (0, 1)])
        last = json.loads(self.log.read_text().splitlines()[-1])
        whole = record.read(str(self.record))
        self.assertEqual(whole["flags"], flags)
        self.assertEqual(whole["losses"], {name: last[name] for name in whole["losses"]})
        # Within the picture are no paths, and nothing that differs from run to run.
        del flags["content"], whole["losses"], whole["seconds"]
        self.assertEqual(record.read(str(self.output)), whole | {"flags": flags})

    def test_pictures_that_differ_in_their_ending_have_a_record_each(self):
        for ending in (".png", ".jpg"):
            self.stylize(output=self.output.with_suffix(ending))
        self.assertCountEqual(
            [path.name for path in self.output.parent.iterdir()],
            ["painted.png", "painted.png.json", "painted.jpg", "painted.jpg.json"],
        )

    def test_the_preview_is_in_the_end_the_picture(self):
        content, path = self.folder / "content.png", self.folder / "new" / "so_far.png"
        with Image.open(PHOTOGRAPH) as opened:
            opened.putalpha(Image.linear_gradient("L").resize(opened.size))
            opened.save(content)
        self.stylize(content=content, preview=path)
        painted, shown = image_io.read(self.output), image_io.read(path)
        np.testing.assert_array_equal(shown.rgb, painted.rgb)
        np.testing.assert_array_equal(shown.alpha, painted.alpha)

    def test_events_for_tensorboard_and_how_to_watch_them(self):
        folder = self.folder / "events"
        out, _ = self.stylize(tensorboard_dir=folder)
        self.assertRegex(out, rf"(?m)^watch it: \S*tensorboard --logdir={folder}$")
        self.assertLen([*folder.iterdir()], 1)
        with self.refused(f"tensorboard_dir={folder}: has the events of another run"):
            self.stylize(tensorboard_dir=folder, output=self.folder / "other.png")

    def test_quiet_and_without_a_record(self):
        self.assertEqual(self.stylize(quiet=True, record=False), ("", ""))
        self.assertEqual(set(self.files()), {self.output.parent, self.output})
        folder = self.folder / "events"
        self.assertEqual(self.stylize(quiet=True, tensorboard_dir=folder), ("", ""))

    def test_styles_masks_regions_and_layers_reach_the_run(self):
        self.stylize(
            [["block1_conv1", "block2_conv1"], ["block1_conv2"]],
            settings=replace(
                SMALL,
                style_layers=("block1_conv1", "block2_conv1", "block1_conv2"),
                color="luminance",
            ),
            content=SAMPLES / "content" / "cincinnati_bridge.jpg",
            style=[f"{PAINTING},{PHOTOGRAPH}"],
            style_blend=["0.7", "0.3"],
            style_mask=[f"{MASKS / 'left.png'},none"],
            keep_mask=MASKS / "right.png",
        )
        images = record.read(str(self.record))["images"]
        self.assertIsNotNone(images["keep_mask"])
        one, other = images["style 1"], images["style 2"]
        self.assertEqual((one["weight"], other["weight"]), (0.7, 0.3))
        self.assertEqual(one["layers"], ["block1_conv1", "block2_conv1"])
        self.assertEqual(other["layers"], ["block1_conv2"])
        self.assertIsNotNone(one["mask"])
        self.assertIsNone(other["mask"])

    def test_resolution_and_exif_come_back_and_large_pictures_are_reduced(self):
        content, style = self.folder / "content.jpg", self.folder / "style.png"
        tags = Image.Exif()
        tags[0x010F], tags[0x0112] = "Maker", 3
        Image.new("RGB", (1200, 1000), "gray").save(content, exif=tags.tobytes(), dpi=(300, 300))
        Image.new("RGB", (4096, 2048), "teal").save(style)
        with mock.patch.object(coarse_to_fine, "optimize", wraps=coarse_to_fine.optimize) as run:
            self.stylize(content=content, style=[str(style)])
        metadata = image_io.read(self.output).metadata
        np.testing.assert_allclose(metadata.dpi, (300, 300), atol=0.02)
        self.assertIn(b"Maker", metadata.exif)
        photograph, (painting,) = run.call_args.args[:2]
        self.assertEqual(photograph.shape, (500, 600, 3))
        self.assertEqual(painting.rgb.shape, (512, 1024, 3))

    def test_large_pictures_are_reduced_also_for_the_photographs_own_size(self):
        large = str(self.folder / "large.png")
        Image.new("RGB", (4096, 3072), "teal").save(large)
        with mock.patch.object(coarse_to_fine, "optimize", side_effect=InputError) as run:
            with self.assertRaises(InputError):
                self.stylize(style=[large], settings=replace(SMALL, size=0, init=large))
        (painting,) = run.call_args.args[1]
        self.assertEqual(painting.rgb.shape, (1536, 2048, 3))
        self.assertEqual(run.call_args.kwargs["start"].shape, (1536, 2048, 3))

    def test_alpha_16_bits_and_the_photographs_size_come_back(self):
        samples = np.random.default_rng(0).integers(0, 65536, (40, 52, 4), dtype=np.uint16)
        content = self.folder / "content.png"
        content.write_bytes(tf.io.encode_png(samples).numpy())
        self.stylize(content=content, settings=replace(SMALL, size=0))
        painted = tf.io.decode_png(self.output.read_bytes(), dtype=tf.uint16).numpy()
        np.testing.assert_array_equal(painted[..., 3], samples[..., 3])
        self.assertGreater(len(np.unique(painted[..., :3])), 256)

    def test_starts_from_a_picture(self):
        start = self.folder / "start.png"
        Image.new("RGB", (64, 48), "white").save(start)
        self.stylize(settings=replace(SMALL, init=str(start)))
        # Two steps of Adam move a pixel by 0.04 at most.
        self.assertGreater(image_io.read(self.output).rgb.min(), 0.95)

    def test_a_full_disk(self):
        """Checkpoints do not fit, the picture does."""
        whole = self.folder / "whole.png"
        self.stylize(output=whole)
        with file_size_limit(20_000):
            _, errors = self.stylize(checkpoint=self.checkpoint, checkpoint_every=0.0)
        (line,) = errors.splitlines()
        self.assertIn(f"{self.checkpoint}: cannot be written (File too large)", line)
        self.assertEndsWith(line, "; the run is not affected")
        self.assertFalse(self.checkpoint.exists())
        self.assertEqual(self.output.read_bytes(), whole.read_bytes())

    def test_a_disk_too_full_for_the_picture(self):
        self.output.parent.mkdir()
        with file_size_limit(100), self.refused(self.output, "cannot be written (File too large)"):
            self.stylize()

    def test_a_picture_and_a_record_that_do_not_fit_are_left_elsewhere(self):
        """Each, and said so; the next time there is room."""
        temporary = self.create_tempdir()
        lost = [OSError(errno.EIO, "Input/output error"), None]
        fsync = mock.Mock(side_effect=[None, None, *lost, *lost])  # two for the checks
        with (
            mock.patch("os.fsync", fsync),
            mock.patch("tempfile.gettempdir", lambda: temporary.full_path),
        ):
            with self.assertRaises(InputError) as caught:
                self.stylize()
        picture, whole = re.findall(r"it is whole as (\S+); move it", str(caught.exception))
        self.assertEqual(image_io.read(picture).rgb.shape, (36, 48, 3))
        self.assertNotIn("stopped", record.read(whole))
        self.assertEmpty([*self.output.parent.iterdir()])

    def test_a_disk_that_knows_neither_modes_nor_fsync_nor_renames(self):
        refused = OSError(errno.EPERM, "Operation not permitted")
        with contextlib.ExitStack() as disk:
            for function in ("os.chmod", "os.fsync", "os.replace"):
                disk.enter_context(mock.patch(function, side_effect=refused))
            _, errors = self.stylize(checkpoint=self.checkpoint, animation=self.folder / "a.gif")
        self.assertEqual(errors, "")
        self.assertCountEqual(
            [path.name for path in self.files() if path.is_file()],
            ["painted.png", "painted.png.json", "run.ckpt", "a.gif"],
        )


class RefusalTest(StylizeTest):
    """Each before the first step, with nothing written."""

    def refuses(self, *words, settings=SMALL, **changes):
        with self.refused(*words):
            self.stylize(settings=settings, **changes)

    def test_images_that_cannot_be_read(self):
        text = self.folder / "text.png"
        text.write_text("not a picture")
        self.refuses("missing.jpg: no such file", content="missing.jpg")
        self.refuses(f"{text}: ", style=[str(PAINTING), str(text)])
        self.refuses(f"{text}: ", settings=replace(SMALL, init=str(text)))
        self.refuses("missing.png: no such file", keep_mask="missing.png")

    @parameterized.parameters(
        ({"size": 40}, "size=40: the short side would be 30 px", "--size=42"),
        ({"style_layers": ["nowhere"]}, "style_layers=nowhere", "block5_conv4"),
        ({"vgg_weights": "missing.h5"}, "vgg_weights=missing.h5: no such file"),
        ({"network": "vgg16"}, "network=vgg16", "--vgg_weights"),
    )
    def test_settings_that_do_not_fit(self, changes, *words):
        self.refuses(*words, settings=replace(SMALL, **changes), loss_log=self.log)

    def test_outputs_that_cannot_be_written(self):
        self.refuses("a.gif: unknown extension", output=self.folder / "a.gif")
        self.refuses("b.gif: unknown extension", preview=self.folder / "b.gif")
        self.refuses("is a file; expected a folder", output=f"{PHOTOGRAPH}/a.png")
        self.refuses("loss_log=", "is the name of a picture", loss_log=self.folder / "a.jpg")
        self.refuses("animation=", "unknown ending '.png'", animation=self.folder / "a.png")
        self.refuses("give --checkpoint", resume=True)

    @parameterized.parameters(
        *("output", "preview", "checkpoint", "animation", "loss_log"),
        *("snapshots_dir", "tensorboard_dir"),
    )
    def test_a_folder_that_cannot_be_written(self, flag):
        # Not by root either.
        path = "/proc/nst_tf/losses" if flag == "loss_log" else "/proc/nst_tf/a.webp"
        self.log.write_text("old")
        self.refuses("/proc/nst_tf", "cannot be written", **{"loss_log": self.log, flag: path})

    def test_files_of_the_user_are_not_overwritten(self):
        content = self.folder / "content.png"
        shutil.copy(PHOTOGRAPH, content)
        self.refuses(f"output={content}: would overwrite", content=content, output=content)
        self.refuses("loss_log=", "would overwrite", content=content, loss_log=content)
        self.refuses(f"preview={content}: would overwrite", content=content, preview=content)
        self.refuses("preview=", "would overwrite output=", preview=self.output)
        self.refuses("checkpoint=", "is another file", content=content, checkpoint=content)
        self.output.parent.mkdir()
        self.record.write_text("{}")
        self.refuses(f"{self.record}: is there already and no record; give --norecord")


if __name__ == "__main__":
    absltest.main()
