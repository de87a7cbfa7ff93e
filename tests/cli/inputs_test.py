import os
from pathlib import Path

import numpy as np
from absl.testing import absltest
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES

from nst_tf import InputError, read
from nst_tf.cli import inputs

LEFT = str(SAMPLES / "mask" / "left.png")


class SplitTest(absltest.TestCase):
    def test_one_is_a_list_with_commas_and_several_are_not(self):
        self.assertEqual(inputs.split(["a.jpg,b.jpg"]), ["a.jpg", "b.jpg"])
        self.assertEqual(inputs.split(["a,1.jpg", "b.jpg"]), ["a,1.jpg", "b.jpg"])
        self.assertEqual(inputs.split(["a.jpg"]), ["a.jpg"])
        self.assertEqual(inputs.split(["a.jpg, b.jpg,"]), ["a.jpg", "b.jpg"])
        self.assertEqual(inputs.split([]), [])

    def test_a_file_with_a_comma_is_a_file(self):
        path = os.path.join(self.create_tempdir().full_path, "a,b.jpg")
        Path(path).touch()
        self.assertEqual(inputs.split([path]), [path])


class StylesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.content = read(SAMPLES / "content" / "cincinnati_bridge.jpg")
        self.paintings = [str(PAINTING), str(PHOTOGRAPH)]

    def read(self, **flags):
        return inputs.styles(self.paintings, self.content, **flags)

    def test_shares_masks_and_regions_go_to_their_paintings(self):
        one, other = self.read(shares=["0.7", "0.3"], masks=["none", LEFT])
        self.assertEqual((one.share, other.share), (0.7, 0.3))
        self.assertIsNone(one.mask)
        with Image.open(LEFT) as file:
            np.testing.assert_allclose(other.mask, np.asarray(file) / 255, atol=1e-6)
        self.assertIsNone(other.region)
        one, other = self.read(layers=[["a", "b"], ["c"]])
        self.assertEqual((one.layers, other.layers), (["a", "b"], ["c"]))
        one, other = self.read()
        self.assertEqual((one.share, other.share), (1.0, 1.0))

    def test_what_is_transparent_in_a_mask_is_black(self):
        path = os.path.join(self.create_tempdir().full_path, "mask.png")
        Image.merge("LA", (Image.new("L", (512, 375), 255), Image.open(LEFT))).save(path)
        one, other = self.read(masks=[path, LEFT])
        np.testing.assert_allclose(one.mask, other.mask, atol=1e-6)

    def test_mistakes_are_one_line(self):
        for flags, message in (
            (dict(masks=[LEFT]), "style_mask=.*left.png: expected one for each painting, 2, got 1"),
            (dict(shares=["1", "2", "3"]), "style_blend=1,2,3: expected one for each painting, 2"),
            (dict(shares=["1", "x"]), "style_blend=x: expected numbers from 0"),
            (dict(shares=["0", "0"]), "style_blend=0,0: expected numbers from 0, not all 0"),
            (dict(layers=[["a", "b"]]), "style_layers=a,b: expected one for each painting, 2"),
            (dict(layers=[["a"]] * 3), "style_layers=a/a/a: expected one for each painting, 2"),
            (dict(regions=["none", LEFT]), "style_region=.*left.png: a mask of 512 x 375 px for a"),
        ):
            with self.assertRaisesRegex(InputError, message):
                self.read(**flags)


if __name__ == "__main__":
    absltest.main()
