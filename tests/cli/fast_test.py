import functools
import shutil
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES
from testing.scripts import ScriptTest, options

from nst_tf import feed_forward
from nst_tf.cli import app, fast
from nst_tf.images import image_io
from nst_tf.networks import device

OTHER = SAMPLES / "style" / "hokusai_great_wave.jpg"


class FastTest(ScriptTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        load = functools.cache(feed_forward.load)
        cls.enter_context(mock.patch.object(feed_forward, "load", load))

    def stylize(self, **changes):
        given = {"content": [str(PHOTOGRAPH)], "style": [str(PAINTING)], "output": self.output}
        return self.call(fast.stylize, options(fast, **given | {"size": 64} | changes))

    def test_alpha_and_the_photographs_own_size(self):
        content = self.folder / "a.png"
        Image.open(PHOTOGRAPH).convert("RGBA").crop((0, 0, 101, 75)).save(content)
        found = self.stylize(content=[str(content)], size=0)
        self.assertEqual(found, (f"on {device.describe()}\npainted {self.output}\n", ""))
        with Image.open(self.output) as picture:
            self.assertEqual((picture.size, picture.mode), ((101, 75), "RGBA"))

    def test_resolution_and_exif_come_back_and_large_pictures_are_reduced(self):
        content = self.folder / "a.jpg"
        tags = Image.Exif()
        tags[0x010F] = "Maker"
        Image.new("RGB", (1200, 1000), "gray").save(content, exif=tags.tobytes(), dpi=(300, 300))
        with mock.patch.object(image_io, "read", wraps=image_io.read) as read:
            self.stylize(content=[str(content)])
        long_sides = {call.args[0]: call.kwargs["long_side"] for call in read.mock_calls}
        self.assertEqual(long_sides, {str(content): 64, str(PAINTING): 512})
        metadata = image_io.read(self.output).metadata
        np.testing.assert_allclose(metadata.dpi, (300, 300), atol=0.02)
        self.assertIn(b"Maker", metadata.exif)

    def test_what_is_left_out_of_a_file_is_said_once(self):
        content = self.folder / "film.gif"
        frames = [Image.new("RGB", (64, 48), color) for color in ("red", "blue")]
        frames[0].save(content, save_all=True, append_images=frames[1:])
        _, errors = self.stylize(content=[str(content)])
        self.assertEqual(
            errors, f"{content}: has 2 frames, the first is taken; scripts/video.py paints all\n"
        )

    def test_several_photographs_in_several_styles_and_in_their_mixture(self):
        given = {
            "content": [str(PHOTOGRAPH), str(PAINTING)],
            "style": [str(PAINTING), str(OTHER)],
            "output": self.folder,
        }
        names = [
            f"{content.stem}_{style.stem}.png"
            for content in (PHOTOGRAPH, PAINTING)
            for style in (PAINTING, OTHER)
        ]
        with mock.patch.object(app, "_file_identity", wraps=app._file_identity) as looked_up:
            out, _ = self.stylize(**given)
        # Each file once: there may be thousands.
        self.assertEqual(looked_up.call_count, 2 + 2 + len(names))
        lines = [f"painted {self.folder / name}" for name in names]
        self.assertEqual(out.splitlines()[1:], lines)
        self.assertEqual({path.name for path in self.files()}, {*names})
        pure = [image_io.read(self.folder / name).rgb for name in names[:2]]
        self.stylize(**given, style_blend=["0.5", "0.5"])
        name = f"{PHOTOGRAPH.stem}_{PAINTING.stem}_{OTHER.stem}.png"
        mixture = image_io.read(self.folder / name).rgb
        for each in pure:
            self.assertGreater(np.abs(mixture - each).mean(), 0.01)

    def test_a_weaker_strength_is_nearer_the_photograph(self):
        content = self.folder / "small.png"
        with Image.open(PHOTOGRAPH) as photograph:
            photograph.resize((64, 48)).save(content)
        distances = []
        for strength in (0.2, 1.0):
            self.stylize(content=[str(content)], strength=strength)
            painted = image_io.read(self.output).rgb
            distances.append(np.abs(painted - image_io.read(content).rgb).mean())
        self.assertLess(*distances)

    def test_a_cut_out_painting_is_its_visible_part(self):
        painting = Image.open(PAINTING).convert("RGBA").crop((0, 0, 300, 200))
        hidden = Image.new("RGBA", (500, 400), (0, 255, 0, 0))
        hidden.paste(painting, (120, 90))
        pictures = []
        for number, style in enumerate((painting, hidden)):
            path = self.folder / f"{number}.png"
            style.save(path)
            self.stylize(style=[str(path)])
            pictures.append(image_io.read(self.output).rgb)
        np.testing.assert_array_equal(*pictures)

    def test_a_gray_photograph_in_a_gray_style_is_gray(self):
        paths = [self.folder / name for name in ("photograph.png", "painting.jpg")]
        for path, source in zip(paths, (PHOTOGRAPH, PAINTING), strict=True):
            Image.open(source).convert("L").save(path)
        self.stylize(content=[str(paths[0])], style=[str(paths[1])])
        painted = image_io.read(self.output).rgb
        self.assertEqual(np.ptp(painted, axis=-1).max(), 0)
        self.assertGreater(painted.std(), 0.05)

    def test_notices_of_fine_strokes_and_of_a_small_painting(self):
        small = self.folder / "small.png"
        Image.open(PAINTING).crop((0, 0, 200, 64)).save(small)
        with mock.patch.object(fast, "_FINE_STROKES", 63):
            out, _ = self.stylize(style=[str(small)])
        enlarged, strokes, *_ = out.splitlines()
        self.assertStartsWith(enlarged, f"{small}: is enlarged 4.0 times")
        self.assertIn("at 64 px they look fine; --size=1500", strokes)
        self.assertStartsWith(self.stylize()[0], "on ")

    def test_files_of_one_name_are_numbered(self):
        other = self.folder / "other" / PHOTOGRAPH.name
        other.parent.mkdir()
        shutil.copy(PAINTING, other)
        self.stylize(content=[str(PHOTOGRAPH), str(other)], output=self.folder / "new")
        name = f"{PHOTOGRAPH.stem}_{PAINTING.stem}"
        self.assertEqual(
            {path.name for path in (self.folder / "new").iterdir()},
            {f"{name} 2.png", f"{name}.png"},
        )

    def test_names_too_long_for_the_disk_are_shortened(self):
        names = [f"{ending}{'p' * 140}.jpg" for ending in "ab"]
        for name in names:
            with Image.open(PHOTOGRAPH) as photograph:
                photograph.resize((64, 48)).save(self.folder / name)
        content, style = (str(self.folder / name) for name in names)
        self.stylize(content=[content], style=[content, style], output=self.folder / "new")
        self.assertLen(list((self.folder / "new").glob("ap*p.png")), 2)

    @parameterized.parameters(
        ({"handle": "no/model"}, "handle=no/model: there is no such folder"),
        ({"style_blend": ["1", "2"]}, "style_blend=1,2: expected a number"),
        ({"style_blend": ["a"]}, "style_blend=a: expected numbers"),
        ({"style": [str(PAINTING), str(OTHER)]}, "painted.png: expected a folder"),
        ({"strength": float("nan")}, "strength=nan: expected a number from 0 to 1"),
        ({"size": 20}, f"{PHOTOGRAPH}: size=20", "--size=42 or more"),
        ({"output": PHOTOGRAPH}, f"output={PHOTOGRAPH}: would overwrite"),
        ({"content": ["a.jpg"]}, "a.jpg: no such file"),
    )
    def test_what_does_not_fit(self, changes, *words):
        with self.refused(*words):
            self.stylize(**changes)


if __name__ == "__main__":
    absltest.main()
