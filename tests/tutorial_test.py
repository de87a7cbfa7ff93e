"""The tutorial recipe against the TensorFlow tutorial's own code."""

from dataclasses import replace

import tensorflow as tf
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Style, optimize
from nst_tf.networks import weights
from nst_tf.settings import RECIPES

STYLE_LAYERS = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]
CONTENT_LAYERS = ["block5_conv2"]


def gram_matrix(input_tensor):
    result = tf.linalg.einsum("bijc,bijd->bcd", input_tensor, input_tensor)
    input_shape = tf.shape(input_tensor)
    num_locations = tf.cast(input_shape[1] * input_shape[2], tf.float32)
    return result / num_locations


def tutorial_losses(content_image, style_image, steps):
    """https://www.tensorflow.org/tutorials/generative/style_transfer, with the bundled weights."""
    vgg = tf.keras.applications.VGG19(
        include_top=False, weights=str(weights.bundled_path("vgg19_notop_f16.h5"))
    )
    outputs = [vgg.get_layer(name).output for name in STYLE_LAYERS + CONTENT_LAYERS]
    model = tf.keras.Model([vgg.input], outputs)

    def extract(image):
        found = model(tf.keras.applications.vgg19.preprocess_input(image * 255.0))
        return [gram_matrix(layer) for layer in found[:5]], found[5:]

    style_targets, _ = extract(style_image)
    _, content_targets = extract(content_image)
    image = tf.Variable(content_image)
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)
    totals = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            styles, contents = extract(image)
            loss = mean_squared_errors(styles, style_targets) * 1e-2 / 5
            loss += mean_squared_errors(contents, content_targets) * 1e4 / 1
            loss += 30 * tf.image.total_variation(image)
        grad = tape.gradient(loss, image)
        optimizer.apply_gradients([(grad, image)])
        image.assign(tf.clip_by_value(image, clip_value_min=0.0, clip_value_max=1.0))
        totals.append(float(loss[0]))
    return totals, image


def mean_squared_errors(outputs, targets):
    return tf.add_n([tf.reduce_mean((a - b) ** 2) for a, b in zip(outputs, targets, strict=True)])


class TutorialTest(tf.test.TestCase):
    def test_the_first_five_steps(self):
        content, style = cut(PHOTOGRAPH, 64, 80), cut(PAINTING, 72, 80)
        expected, image = tutorial_losses(content[None], style[None], 5)
        settings = replace(RECIPES["tutorial"], size=0, steps=5)
        found = list(optimize(content, [Style(style)], settings))
        self.assertAllClose([p.losses.total for p in found], expected, rtol=1e-4, atol=0)
        self.assertLess(expected[-1], expected[0])
        self.assertAllClose(found[-1].image(), image[0], atol=1 / 255)


if __name__ == "__main__":
    tf.test.main()
