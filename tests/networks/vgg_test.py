from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.errors import InputError
from nst_tf.networks import vgg, weights

DEFAULTS = dict(network="vgg19", weights="bundled", pooling="max", precision="float32")


def build(style=("block1_conv1",), content=("block2_conv2",), **changes):
    return vgg.extractor(style, content, **(DEFAULTS | changes))


class ExtractorTest(parameterized.TestCase, tf.test.TestCase):
    def test_equals_keras_application_with_its_own_preprocessing(self):
        rgb = cut(PHOTOGRAPH, 48, 64)[None]
        vgg = tf.keras.applications.VGG19(
            include_top=False, weights=str(weights.path("vgg19_notop_f16.h5"))
        )
        layers = ("block1_conv1", "block3_conv3", "block5_conv2")
        reference = tf.keras.Model(vgg.input, [vgg.get_layer(name).output for name in layers])
        expected = reference(tf.keras.applications.vgg19.preprocess_input(rgb * 255.0))
        found = build(layers[:2], layers[2:])(rgb)
        self.assertEqual(list(found), ["style", "content"])
        self.assertEqual(list(found["style"]), list(layers[:2]))
        self.assertAllClose(found["style"]["block1_conv1"], expected[0], rtol=1e-5, atol=1e-3)
        self.assertAllClose(found["style"]["block3_conv3"], expected[1], rtol=1e-4, atol=1e-2)
        self.assertAllClose(found["content"]["block5_conv2"], expected[2], rtol=1e-4, atol=1e-3)

    def test_is_cut_at_the_deepest_layer(self):
        names = [layer.name for layer in build().layers]
        self.assertIn("block2_conv2", names)
        self.assertNotIn("block2_pool", names)

    def test_sees_colour_as_rgb(self):
        # Keras's own kernel, whose channels are blue, green, red, on the two colours.
        kernel, bias = (
            tf.keras.applications.VGG19(
                include_top=False, weights=str(weights.path("vgg19_notop_f16.h5"))
            )
            .get_layer("block1_conv1")
            .get_weights()
        )
        mean = np.array([103.939, 116.779, 123.68])
        red = np.zeros((1, 32, 32, 3), np.float32)
        red[..., 0] = 1
        expected = np.tensordot(np.array([0, 0, 255]) - mean, kernel.sum((0, 1)), 1) + bias
        found = build()(red)["style"]["block1_conv1"]
        self.assertAllClose(found[0, 16, 16], np.maximum(expected, 0), rtol=1e-3, atol=0.1)

    @parameterized.parameters("bfloat16", "float16")
    def test_precision(self, precision):
        rgb = cut(PHOTOGRAPH, 32, 32)[None]
        exact = build()(rgb)["content"]["block2_conv2"]
        found = build(precision=precision)(rgb)["content"]["block2_conv2"]
        self.assertEqual(found.dtype, precision)
        difference = tf.norm(tf.cast(found, tf.float32) - exact) / tf.norm(exact)
        self.assertLess(difference, 0.02)
        self.assertGreater(difference, 0)

    def test_the_layer_that_sees_the_picture_stays_float32(self):
        names = ("block1_conv1", "block1_conv2", "block2_conv1")
        found = build(names, ("block1_conv2",), precision="bfloat16")(np.zeros((1, 32, 32, 3)))
        dtypes = [found["style"][name].dtype for name in names]
        self.assertEqual(dtypes, ["float32", "bfloat16", "bfloat16"])

    def test_rounds_the_same_by_itself_and_in_a_graph(self):
        model = build(("block2_conv1", "block4_conv1"), ("block4_conv2",), precision="bfloat16")
        image = tf.constant(cut(PHOTOGRAPH, 48, 64)[np.newaxis])
        graph = tf.function(model, input_signature=[tf.TensorSpec([1, None, None, 3])])
        alone, inside = (tf.nest.flatten(call(image)) for call in (model, graph))
        for layer, other in zip(alone, inside, strict=True):
            self.assertAllEqual(layer, other)

    def test_is_a_model_like_others(self):
        model, image = build(), np.float32(cut(PHOTOGRAPH, 32, 32)[None])
        expected = model(image)["content"]["block2_conv2"]
        self.assertAllEqual(model(image, training=False)["content"]["block2_conv2"], expected)
        self.assertAllClose(model.predict(image, verbose=0)["content"]["block2_conv2"], expected)
        outer = tf.keras.Input((32, 32, 3))
        again = tf.keras.Model(outer, model(outer)["content"]["block2_conv2"])
        self.assertAllClose(again(image), expected, rtol=1e-5, atol=1e-3)

    def test_average_pooling_averages(self):
        rgb = cut(PHOTOGRAPH, 32, 32)[None]
        for precision in ("float32", "bfloat16"):
            model = build(("block1_conv2",), ("block1_pool",), pooling="avg", precision=precision)
            found = model(rgb)
            expected = tf.nn.avg_pool2d(found["style"]["block1_conv2"], 2, 2, "VALID")
            self.assertAllClose(found["content"]["block1_pool"], expected, rtol=1e-2)

    def test_weights_by_path(self):
        path = str(weights.path("vgg19_notop_f16.h5"))
        rgb = cut(PHOTOGRAPH, 32, 32)[None]
        self.assertAllEqual(
            build(weights=path)(rgb)["content"]["block2_conv2"],
            build()(rgb)["content"]["block2_conv2"],
        )

    def test_vgg16(self):
        path = f"{self.create_tempdir().full_path}/vgg16.weights.h5"
        vgg = tf.keras.applications.VGG16(include_top=False, weights=None)
        vgg.save_weights(path)
        rgb = cut(PHOTOGRAPH, 32, 32)[None]
        found = build(network="vgg16", weights=path, content=("block3_conv3",))(rgb)
        reference = tf.keras.Model(vgg.input, vgg.get_layer("block3_conv3").output)
        expected = reference(tf.keras.applications.vgg16.preprocess_input(rgb * 255.0))
        self.assertAllClose(found["content"]["block3_conv3"], expected, rtol=1e-4, atol=1e-3)


class RefusalTest(parameterized.TestCase, tf.test.TestCase):
    def test_unknown_layer_lists_the_valid_ones(self):
        with self.assertRaisesRegex(
            InputError,
            "style_layers=block9_conv1: vgg19 has no such.*block1_conv1, .*block5_pool",
        ):
            build(("block9_conv1",))
        with self.assertRaisesRegex(InputError, "style_layers=block3_conv4: vgg16 has no"):
            with mock.patch.object(vgg, "_load") as load:
                load.return_value = tf.keras.applications.VGG16(include_top=False, weights=None)
                build(("block3_conv4",), network="vgg16")

    def test_missing_path(self):
        with self.assertRaisesRegex(InputError, "vgg_weights=/no/such.h5: is no file; give"):
            build(weights="/no/such.h5")

    @parameterized.parameters("text.h5", "text.txt")
    def test_not_a_vgg(self, name):
        path = self.create_tempdir().create_file(name, "not weights").full_path
        with self.assertRaisesRegex(InputError, "not the weights of a vgg19"):
            build(weights=path)

    def test_weights_of_another_network(self):
        path = str(weights.path("vgg19_notop_f16.h5"))
        with self.assertRaisesRegex(InputError, "not the weights of a vgg16"):
            build(network="vgg16", weights=path)

    def test_imagenet_without_a_network(self):
        with mock.patch("urllib.request.urlopen", side_effect=OSError("no network")):
            home = self.create_tempdir().full_path
            with mock.patch("keras.src.utils.file_utils.config.keras_home", lambda: home):
                with self.assertRaisesRegex(InputError, "could not fetch .*vgg_weights=bundled"):
                    build(weights="imagenet")

    def test_vgg16_is_not_bundled(self):
        with self.assertRaisesRegex(InputError, "network=vgg16: its weights are not bundled"):
            build(network="vgg16")

    def test_damaged_bundle(self):
        folder = self.create_tempdir()
        data = bytearray(weights.path("vgg19_notop_f16.h5").read_bytes())
        data[len(data) // 2] ^= 1
        path = folder.create_file("vgg19_notop_f16.h5", content=bytes(data), mode="wb").full_path
        with mock.patch.object(weights, "path", return_value=type(PHOTOGRAPH)(path)):
            with self.assertRaisesRegex(InputError, "damaged"):
                build()


if __name__ == "__main__":
    tf.test.main()
