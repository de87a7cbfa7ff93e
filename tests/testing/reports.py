"""Entries of a comparison and thumbnails of a batch for the tests, each image of one color."""

import numpy as np

from nst_tf.reports.comparison import Entry, Scores
from nst_tf.reports.thumbnails import Thumbnail

RED, GREEN, BLUE, BLACK, CYAN = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0), (0, 1, 1)


def filled(color, height=60, width=80):
    return np.full([height, width, 3], color, np.float32)


def entries(height=60, width=80):
    """A red content image, a black style image of another shape, a green result."""
    scores = Scores(style=0.0208, content=0.654, ssim=0.4, grain=0.95)
    return [
        Entry("photograph", filled(RED, height, width), scores),
        Entry("painting", filled(BLACK, 20, 40)),
        Entry("optimised", filled(GREEN, height, width), scores, 12.0, 10.04),
    ]


def table(content="a.png"):
    """A table of two content images and one style image; the second output has failed."""
    done = {"error": None, "seconds": 1.25, "losses": {"total": 0.5}}
    failed = {"error": "<no> image", "seconds": 0.0, "losses": {}}
    output = content.replace(".png", "__s.png")
    return [
        [Thumbnail(None, ""), Thumbnail(filled(BLUE, 40, 90), "s.png")],
        [Thumbnail(filled(RED), content), Thumbnail(filled(GREEN), output, done)],
        [Thumbnail(filled(CYAN, 90, 30), "b.png"), Thumbnail(None, "b__s.png", failed)],
    ]
