from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES

from nst_tf import InputError, read
from nst_tf.cli import inputs

LEFT = str(SAMPLES / "mask" / "left.png")


class SplitTest(absltest.TestCase):
    def test_one_is_a_list_with_commas_and_several_are_not(self):
        self.assertEqual(inputs.split(["a.jpg, b.jpg,"]), ["a.jpg", "b.jpg"])
        self.assertEqual(inputs.split(["a,1.jpg", "b.jpg"]), ["a,1.jpg", "b.jpg"])
        self.assertEqual(inputs.split(["a.jpg"]), ["a.jpg"])
        self.assertEqual(inputs.split([]), [])

    def test_a_file_with_a_comma_is_a_file(self):
        path = Path(self.create_tempdir().full_path, "a,b.jpg")
        path.touch()
        self.assertEqual(inputs.split([str(path)]), [str(path)])

    def test_the_home_folder_in_a_list(self):
        home = str(Path.home())
        self.assertEqual(inputs.split(["a.jpg,~/b.jpg"]), ["a.jpg", f"{home}/b.jpg"])


class ReadStylesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.content = read(SAMPLES / "content" / "cincinnati_bridge.jpg")

    def read(self, **given):
        return inputs.read_styles([str(PAINTING), str(PHOTOGRAPH)], self.content, **given)

    def test_weights_masks_and_layers_go_to_their_style_images(self):
        one, other = self.read(
            blend=["0.7", "0.3"], masks=["none", LEFT], layers=[["a", "b"], ["c"]]
        )
        self.assertEqual((one.weight, other.weight), (0.7, 0.3))
        self.assertEqual((one.layers, other.layers), (["a", "b"], ["c"]))
        self.assertIsNone(one.mask)
        with Image.open(LEFT) as file:
            np.testing.assert_allclose(other.mask, np.asarray(file) / 255, atol=1e-6)
        one, other = self.read()
        self.assertEqual((one.weight, other.weight), (1.0, 1.0))
        self.assertEqual((one.mask, one.region, one.layers), (None, None, None))

    def test_a_region_belongs_to_its_style_image(self):
        path = Path(self.create_tempdir().full_path, "region.png")
        with Image.open(PAINTING) as painting:
            Image.new("L", painting.size, 255).save(path)
        one, other = self.read(regions=[str(path), "none"])
        self.assertEqual(one.region.shape, one.rgb.shape[:2])
        self.assertIsNone(other.region)

    def test_transparent_pixels_of_a_mask_are_black(self):
        path = Path(self.create_tempdir().full_path, "mask.png")
        Image.merge("LA", (Image.new("L", (512, 375), 255), Image.open(LEFT))).save(path)
        one, other = self.read(masks=[str(path), LEFT])
        np.testing.assert_allclose(one.mask, other.mask, atol=1e-6)

    def test_a_mask_is_reduced_to_what_its_picture_needs(self):
        path = Path(self.create_tempdir().full_path, "mask.png")
        Image.new("L", (4096, 3000), 255).save(path)
        one, other = self.read(masks=[str(path), "none"])
        self.assertEqual(one.mask.shape, (1500, 2048))
        np.testing.assert_array_equal(one.mask, np.ones((1500, 2048)))
        self.assertIsNone(other.mask)

    @parameterized.parameters(
        ({"masks": [LEFT]}, "style_mask=.*left.png: expected one for each painting, 2, got 1"),
        ({"masks": ["nnoe", LEFT]}, "style_mask=nnoe: no such file; expected a picture or none"),
        ({"layers": [["a"]] * 3}, "style_layers=a/a/a: expected one for each painting, 2"),
        ({"blend": ["1", "2", "3"]}, "style_blend=1,2,3: expected"),
        ({"blend": ["1", "x"]}, "style_blend=1,x: expected numbers, as 0.7,0.3"),
        ({"blend": ["0", "0"]}, "style_blend=0,0: expected .* not all 0"),
        ({"regions": ["none", LEFT]}, "style_region=.*left.png: a mask of 512 x 375 px for a"),
    )
    def test_what_does_not_fit(self, given, message):
        with self.assertRaisesRegex(InputError, message):
            self.read(**given)


class ReadStartTest(absltest.TestCase):
    def test_content_noise_or_a_picture(self):
        self.assertIsNone(inputs.read_start("content", 0))
        self.assertIsNone(inputs.read_start("noise", 0))
        np.testing.assert_array_equal(inputs.read_start(str(PAINTING), 0), read(PAINTING).rgb)
        with self.assertRaisesRegex(
            InputError, "init=cotnent: no such file; expected content, noise or a picture"
        ):
            inputs.read_start("cotnent", 0)


if __name__ == "__main__":
    absltest.main()
