"""The painter of a server: the networks, and one run at a time."""

import functools
import threading
from pathlib import Path
from time import monotonic

import numpy as np

from nst_tf import coarse_to_fine, feed_forward
from nst_tf.app import continuation, fast_picture, outcome
from nst_tf.app.continuation import Course
from nst_tf.app.painted import Painted, PaintRequest
from nst_tf.app.run import Run
from nst_tf.errors import InputError
from nst_tf.run.progress import State
from nst_tf.run.session import Session
from nst_tf.settings import Settings
from nst_tf.style import Style

# Of the picture that is painted to have the graphs traced.
_WARM_UP_SIDE = 64


class Painter:
    """Paints pictures one after another; networks, graphs and style targets are kept.

    Its methods may be called from any thread, `fast` also while a run paints.
    """

    def __init__(self) -> None:
        self._session = Session()
        self._fast: feed_forward.FastStylizer | None = None
        # Keras's settings are global, so one network is built at a time.
        self._loading = threading.Lock()
        self._beginning = threading.Lock()
        self._run: Run | None = None
        self._is_closed = False

    def warm_up(self) -> None:
        """Load both networks, and trace a step of the default settings with one painting."""
        self._fast_stylizer()
        noise = np.random.default_rng(0).random([2, _WARM_UP_SIDE, _WARM_UP_SIDE, 3], np.float32)
        settings = Settings(size=_WARM_UP_SIDE, steps=1)
        with self._beginning:
            self._wait_for_the_run()
            with self._loading:
                steps = coarse_to_fine.optimize(
                    noise[0], [Style(noise[1])], settings, session=self._session
                )
            for _ in steps:
                pass

    def fast(self, request: PaintRequest, long_side: int = 0) -> Painted:
        """Paint in one pass of the feed-forward network.

        Args:
            request: what to paint; of the settings only the size counts.
            long_side: the most that the picture's may be, in pixels; 0 for the settings' size.

        Returns:
            The picture, without a record.

        Raises:
            InputError: a photograph or a painting that is too small, or too little memory.
        """
        began = monotonic()
        picture = fast_picture.paint(self._fast_stylizer(), request, long_side)
        seconds = monotonic() - began
        return Painted(
            request=request, picture=picture, record=None, is_finished=True, seconds=seconds
        )

    def paint(self, request: PaintRequest, checkpoint: Path) -> Run:
        """Begin a run; it waits for the one before to end.

        Args:
            request: what to paint.
            checkpoint: a file for its state at the end, which `go_on` reads; each picture needs
                one of its own.

        Returns:
            The run, in a thread of its own.

        Raises:
            InputError: as `coarse_to_fine.optimize` before the first step, or after `close`.
        """
        return self._begin(request, Course(request.settings), None, checkpoint)

    def go_on(self, painted: Painted, request: PaintRequest, checkpoint: Path) -> Run:
        """Begin a run that goes on from a picture.

        Where only size or steps have changed, the run of the picture is resumed: a stopped one goes
        to its end, a finished one takes as many steps again at its last scale. With twice the size
        it is what a run of that size would have been from the beginning. Otherwise, and where its
        state does not fit, the picture is the start of a run at one scale.

        Args:
            painted: the picture.
            request: what to paint now.
            checkpoint: as in `paint`.

        Returns:
            As `paint`.

        Raises:
            InputError: as `paint`.
        """
        course, state = continuation.go_on(painted, request)
        return self._begin(request, course, state, checkpoint)

    def close(self) -> None:
        """Stop the run, and wait for its thread; there are no more runs."""
        self._is_closed = True
        if self._run is not None:
            self._run.stop()
        with self._beginning:
            # One that began in the meantime.
            if self._run is not None:
                self._run.stop()
            self._wait_for_the_run()

    def _begin(self, request: PaintRequest, course: Course, state: State | None, path: Path) -> Run:
        with self._beginning:
            self._wait_for_the_run()
            if self._is_closed:
                raise InputError("the server is closing; start it again")
            photograph = request.photograph
            with self._loading:
                steps = coarse_to_fine.optimize(
                    photograph.rgb,
                    request.styles,
                    course.settings,
                    start=course.start,
                    keep_mask=request.keep_mask,
                    alpha=photograph.alpha,
                    resume=state,
                    session=self._session,
                )
            finish = functools.partial(outcome.painted, request, course, path)
            self._run = Run(steps, finish, photograph.alpha)
            return self._run

    def _wait_for_the_run(self) -> None:
        if self._run is not None:
            self._run.join()

    def _fast_stylizer(self) -> feed_forward.FastStylizer:
        with self._loading:
            if self._fast is None:
                self._fast = feed_forward.load("bundled")
            return self._fast
