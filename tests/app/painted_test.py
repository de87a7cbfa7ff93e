import json
from dataclasses import replace

import numpy as np
from absl.testing import absltest
from testing.painter import PainterTest, disc, request
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings, Style
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture
from nst_tf.run import record


class PaintedTest(PainterTest):
    def test_file_is_as_stylize_writes_it(self):
        photograph = Picture(
            cut(PHOTOGRAPH, 48, 64), disc(48, 64), 16, image_io.read(PHOTOGRAPH).metadata
        )
        asked = request(size=96, steps=1)
        styles = (replace(asked.styles[0], weight=0.7), Style(cut(PAINTING, 64, 64), weight=0.3))
        asked = replace(asked, photograph=photograph, styles=styles, recipe="gatys")
        painted = self.paint(asked)
        path = self.folder / "painted.png"
        painted.write(path)
        self.assertEqual(
            path.read_bytes(),
            image_io.encode(
                painted.picture,
                alpha=photograph.alpha,
                bits=16,
                note=json.dumps(painted.record),
                metadata=photograph.metadata,
            ),
        )
        self.assertEqual(image_io.read(path).bits, 16)
        found = record.read(str(path))
        self.assertEqual(found, painted.record)
        self.assertEqual(
            found["flags"],
            {"style_blend": ["0.7", "0.3"], "style_layers": None, "recipe": "gatys"},
        )
        inputs = record.run_inputs(
            photograph.rgb,
            styles,
            Settings(**found["settings"]),
            weights_sha256=found["weights"],
            alpha=photograph.alpha,
        )
        self.assertEmpty(record.differences(found, inputs))

    def test_layers_of_each_painting_are_on_record(self):
        asked = request(steps=1)
        one, two = asked.settings.style_layers
        style = asked.styles[0]
        styles = (style, replace(style, layers=[two]))
        painted = self.paint(replace(asked, styles=styles))
        # As a flag's list of "a,b/b".
        self.assertEqual(painted.record["flags"]["style_layers"], [one, f"{two}/{two}"])

    def test_fast_picture_has_no_record(self):
        painted = self.painter.fast(request())
        path = self.folder / "fast.png"
        painted.write(path)
        np.testing.assert_allclose(image_io.read(path).rgb, painted.picture, atol=0.51 / 255)
        self.assertNotIn(b"nst_tf", path.read_bytes())


if __name__ == "__main__":
    absltest.main()
