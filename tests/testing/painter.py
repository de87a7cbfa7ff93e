"""A painter for the tests, with small pictures and a network that is loaded once."""

import threading
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import parameterized
from testing.networks import LAYERS, extractor
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings, Style, coarse_to_fine, optimize
from nst_tf.app.painted import PaintRequest
from nst_tf.app.painter import Painter
from nst_tf.images.image_io import Picture
from nst_tf.networks import vgg

SETTINGS = Settings(**LAYERS, size=64, steps=3, precision="float32")


def request(height=48, width=64, alpha=None, **settings):
    """A small picture to paint."""
    return PaintRequest(
        photograph=Picture(cut(PHOTOGRAPH, height, width), alpha, 8),
        styles=(Style(cut(PAINTING, 70, 60)),),
        settings=replace(SETTINGS, **settings),
    )


def at_one_go(request, start=None):
    """The bytes of the picture of one run, without a painter."""
    photograph = request.photograph
    *_, last = (
        progress.image()
        for progress in optimize(
            photograph.rgb,
            request.styles,
            request.settings,
            start=start,
            keep_mask=request.keep_mask,
            alpha=photograph.alpha,
        )
    )
    return last.tobytes()


def disc(height, width):
    """An opacity: opaque within a disc, transparent outside."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.clip(4 * (1 - x**2 - y**2), 0, 1).astype(np.float32)


class PainterTest(parameterized.TestCase):
    """The tests of a class have one painter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        patch = mock.patch.object(vgg, "extractor_from_settings", extractor)
        patch.start()
        cls.addClassCleanup(patch.stop)
        cls.painter = Painter()
        cls.addClassCleanup(cls.painter.close)

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def path(self):
        """A name that nothing has, for a checkpoint."""
        return self.folder / f"{len(list(self.folder.iterdir()))}.checkpoint"

    def paint(self, request):
        return self.painter.paint(request, self.path()).result()

    def go_on(self, painted, request=None, **options):
        run = self.painter.go_on(painted, request or painted.request, self.path(), **options)
        return run.result()

    def paint_and_stop(self, request, scale, step):
        """The picture of a run that is stopped within a step, numbered from 1."""
        has_begun, runs = threading.Event(), []

        def steps(*args, **kwargs):
            for progress in optimize(*args, **kwargs):
                if (progress.scale + 1, progress.step + 1) == (scale, step):
                    has_begun.wait()
                    runs[0].stop()
                yield progress

        with mock.patch.object(coarse_to_fine, "optimize", steps):
            runs.append(self.painter.paint(request, self.path()))
        has_begun.set()
        return runs[0].result()
