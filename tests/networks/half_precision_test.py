import tensorflow as tf
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.networks import vgg
from nst_tf.networks.half_precision import HalfPrecisionWeights
from nst_tf.settings import Settings


class HalfPrecisionWeightsTest(tf.test.TestCase):
    def test_is_float16_where_that_is_exact_and_computes_the_same(self):
        settings = Settings(style_layers=("block1_conv2",), content_layers=("block2_conv1",))
        extractor = vgg.extractor_from_settings(settings, "float32")
        last = extractor.layers[-1].kernel
        last.assign(last.value * 1.0001)
        stored = HalfPrecisionWeights(extractor)
        dtypes = {weight.name.partition(":")[0]: weight.dtype for weight in stored.weights}
        expected = {variable.path: tf.float16 for variable in extractor.variables}
        self.assertEqual(dtypes, expected | {last.path: tf.float32})
        image = tf.constant(cut(PHOTOGRAPH, 32, 40)[None])
        found = tf.function(stored.network())(image)
        tf.nest.map_structure(self.assertAllEqual, found, extractor(image))


if __name__ == "__main__":
    tf.test.main()
