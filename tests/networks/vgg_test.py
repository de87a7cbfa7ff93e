from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.errors import InputError
from nst_tf.networks import vgg
from nst_tf.networks.weights import bundled_path

DEFAULTS = dict(network="vgg19", weights="bundled", pooling="max", precision="float32")
BUNDLED = bundled_path("vgg19_notop_f16.h5")


def build(style=("block1_conv1",), content=("block2_conv2",), **changes):
    return vgg.extractor(style, content, **(DEFAULTS | changes))


class ExtractorTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.image = cut(PHOTOGRAPH, 48, 64)[None]

    def test_equals_keras_application_with_its_own_preprocessing(self):
        keras = tf.keras.applications.VGG19(include_top=False, weights=str(BUNDLED))
        layers = ("block1_conv1", "block3_conv3", "block5_conv2")
        reference = tf.keras.Model(keras.input, [keras.get_layer(name).output for name in layers])
        expected = reference(tf.keras.applications.vgg19.preprocess_input(self.image * 255.0))
        found = build(layers[:2], layers[2:])(self.image)
        self.assertEqual(list(found), ["style", "content"])
        self.assertEqual(list(found["style"]), list(layers[:2]))
        self.assertAllClose(found["style"]["block1_conv1"], expected[0], rtol=1e-5, atol=1e-3)
        self.assertAllClose(found["style"]["block3_conv3"], expected[1], rtol=1e-4, atol=1e-2)
        self.assertAllClose(found["content"]["block5_conv2"], expected[2], rtol=1e-4, atol=1e-3)

    @parameterized.parameters(
        ("channels_first", "float16", "mixed_bfloat16"), ("channels_last", "float64", "float64")
    )
    def test_same_whatever_keras_is_set_to(self, data_format, floatx, policy):
        expected = build(pooling="avg")(self.image)
        keras = tf.keras.config
        before = keras.image_data_format(), keras.floatx(), keras.dtype_policy()
        functions = keras.set_image_data_format, keras.set_floatx, keras.set_dtype_policy
        for function, value in zip(functions, (data_format, floatx, policy), strict=True):
            function(value)
        try:
            network = build(pooling="avg")
            found, in_graph = network(self.image), tf.function(network)(self.image)
            after = keras.image_data_format(), keras.floatx(), keras.dtype_policy().name
        finally:
            for function, value in zip(functions, before, strict=True):
                function(value)
        self.assertEqual(after, (data_format, floatx, policy))
        for features in (found, in_graph):
            self.assertAllEqual(
                features["style"]["block1_conv1"], expected["style"]["block1_conv1"]
            )
            self.assertAllEqual(
                features["content"]["block2_conv2"], expected["content"]["block2_conv2"]
            )

    @parameterized.parameters(
        MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    )
    def test_memory_that_ends_is_not_blamed_on_the_weights(self, error):
        application = vgg._APPLICATIONS["vgg19"]._replace(build=mock.Mock(side_effect=error))
        with mock.patch.dict(vgg._APPLICATIONS, vgg19=application):
            with self.assertRaisesRegex(InputError, "^network=vgg19: there is too little memory"):
                build()

    def test_vgg16_and_weights_by_path(self):
        path = f"{self.create_tempdir().full_path}/vgg16.weights.h5"
        keras = tf.keras.applications.VGG16(include_top=False, weights=None)
        keras.save_weights(path)
        found = build(network="vgg16", weights=path, content=("block3_conv3",))(self.image)
        reference = tf.keras.Model(keras.input, keras.get_layer("block3_conv3").output)
        expected = reference(tf.keras.applications.vgg16.preprocess_input(self.image * 255.0))
        self.assertAllClose(found["content"]["block3_conv3"], expected, rtol=1e-4, atol=1e-3)

    def test_is_cut_at_the_deepest_layer(self):
        names = [layer.name for layer in build().layers]
        self.assertIn("block2_conv2", names)
        self.assertNotIn("block2_pool", names)

    @parameterized.parameters("bfloat16", "float16")
    def test_precision_of_all_but_the_first_layer(self, precision):
        names = ("block1_conv1", "block1_conv2")
        exact = build()(self.image)["content"]["block2_conv2"]
        found = build(names, precision=precision)(self.image)
        dtypes = [found["style"][name].dtype for name in names]
        self.assertEqual(dtypes, ["float32", precision])
        deepest = found["content"]["block2_conv2"]
        self.assertEqual(deepest.dtype, precision)
        difference = tf.norm(tf.cast(deepest, tf.float32) - exact) / tf.norm(exact)
        self.assertBetween(difference, 1e-6, 0.02)

    def test_float32_is_not_tensor_float_32(self):
        tf.config.experimental.enable_tensor_float_32_execution(True)
        build()
        self.assertFalse(tf.config.experimental.tensor_float_32_execution_enabled())

    def test_rounds_the_same_eagerly_and_in_a_graph(self):
        model = build(("block2_conv1", "block4_conv1"), ("block4_conv2",), precision="bfloat16")
        graph = tf.function(model, input_signature=[tf.TensorSpec([1, None, None, 3])])
        image = tf.constant(self.image)
        tf.nest.map_structure(self.assertAllEqual, model(image), graph(image))

    def test_behaves_as_other_keras_models(self):
        model, image = build(), np.float32(self.image)
        expected = model(image)["content"]["block2_conv2"]
        self.assertAllEqual(model(image, training=False)["content"]["block2_conv2"], expected)
        self.assertAllClose(model.predict(image, verbose=0)["content"]["block2_conv2"], expected)
        outer = tf.keras.Input((48, 64, 3))
        nested = tf.keras.Model(outer, model(outer)["content"]["block2_conv2"])
        self.assertAllClose(nested(image), expected, rtol=1e-5, atol=1e-3)

    @parameterized.parameters("float32", "bfloat16")
    def test_average_pooling(self, precision):
        model = build(("block1_conv2",), ("block1_pool",), pooling="avg", precision=precision)
        found = model(self.image)
        expected = tf.nn.avg_pool2d(found["style"]["block1_conv2"], 2, 2, "VALID")
        self.assertAllClose(found["content"]["block1_pool"], expected, rtol=1e-2)


class RefusalTest(parameterized.TestCase, tf.test.TestCase):
    def refused(self, message, **changes):
        with self.assertRaisesRegex(InputError, message):
            build(**changes)

    def test_layers_the_network_does_not_have(self):
        valid = "block1_conv1, .*block5_pool"
        self.refused(f"style_layers=block9: vgg19 has no such.*{valid}", style=("block9",))
        self.refused("content_layers=block9: vgg19", content=("block9",))

    def test_weights_that_are_not_those_of_the_network(self):
        text = self.create_tempfile("text.h5", "not weights").full_path
        self.refused("vgg_weights=/no/such.h5: no such file; give", weights="/no/such.h5")
        self.refused("not the weights of a vgg19", weights=text)
        self.refused("not the weights of a vgg16", network="vgg16", weights=str(BUNDLED))
        self.refused("network=vgg16: its weights are not bundled", network="vgg16")

    def test_imagenet_without_a_connection(self):
        home = self.create_tempdir().full_path
        with (
            mock.patch("urllib.request.urlopen", side_effect=OSError("no network")),
            mock.patch("keras.src.utils.file_utils.config.keras_home", lambda: home),
        ):
            self.refused("could not download .*vgg_weights=bundled", weights="imagenet")

    def test_damaged_or_missing_bundle(self):
        data = bytearray(BUNDLED.read_bytes())
        data[len(data) // 2] ^= 1
        damaged = self.create_tempfile("damaged.h5", bytes(data), mode="wb").full_path
        for path, message in ((damaged, "damaged"), (f"{damaged}.no", "missing")):
            with mock.patch.object(vgg, "bundled_path", return_value=type(BUNDLED)(path)):
                self.refused(f"the bundled weights are {message}")


if __name__ == "__main__":
    tf.test.main()
