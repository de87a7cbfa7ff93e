"""The workers of a batch on this machine: this process, or several others."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from nst_tf import limits, tensorflow_startup
from nst_tf.batch.requests import RenderConfig, RenderRequest, RenderResult, failure
from nst_tf.errors import InputError

if TYPE_CHECKING:  # it imports TensorFlow, which this process may not need
    from nst_tf.batch.worker import Worker

_DIED = "its worker died, perhaps out of memory; give fewer --workers or a smaller --size"
_NONE_STARTS = "the workers die as they start, perhaps out of memory; give fewer --workers"
# Of a process of the pool.
_worker: "Worker"


def render(
    config: RenderConfig, requests: Iterable[RenderRequest], *, workers: int, threads: int = 0
) -> Generator[RenderResult, None, None]:
    """Render requests in so many processes, or in this one if `workers` is 1.

    Results come as they are ready, and requests are taken as workers need them. `threads` is what
    each worker computes with; 0 divides the cores. An InputError means that nothing can be
    rendered: no such network, layer or model, or no worker starts.
    """
    if workers > 1:
        yield from _render_in_processes(config, iter(requests), workers, threads)
        return
    worker = _make_worker(threads)
    worker.prepare(config)
    for request in requests:
        yield worker.render(config, request)


def _render_in_processes(
    config: RenderConfig, requests: Iterator[RenderRequest], workers: int, threads: int
) -> Iterator[RenderResult]:
    suspects: list[RenderRequest] = []
    while True:
        running: dict[Future, RenderRequest] = {}
        try:
            with _pool(workers, threads) as pool:
                _prepare_workers(pool, config, workers)
                # What was running when a worker died runs alone, to find the request that kills.
                while suspects:
                    running[_submit(pool, _render, config, suspects[0])] = suspects[0]
                    yield from _completed(running)
                    suspects.pop(0)
                for request in requests:
                    running[_submit(pool, _render, config, request)] = request
                    # One more than the workers, so that none waits for its next request.
                    if len(running) > workers:
                        yield from _completed(running)
                while running:
                    yield from _completed(running)
                return
        except BrokenProcessPool:
            if not running:
                raise InputError(_NONE_STARTS) from None
            if suspects:
                yield RenderResult(suspects.pop(0).number, error=_DIED)
            else:
                suspects = list(running.values())


@contextlib.contextmanager
def _pool(workers: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """A pool whose processes end with this one, and at once if an error leaves the context."""
    threads = threads or max(1, limits.num_cores() // workers)
    others = set(multiprocessing.active_children())
    # Forked processes would have TensorFlow's locks without the threads that hold them.
    spawn = multiprocessing.get_context("spawn")
    arguments = threads, 1 / workers
    pool = ProcessPoolExecutor(workers, spawn, initializer=_start_worker, initargs=arguments)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        # The pool's own thread waits for them; were this to wait too, each could miss their end.
        pool.shutdown(cancel_futures=True)
        raise


def _submit(pool: ProcessPoolExecutor, *call: Any) -> Future:
    # It starts processes, which inherit this: a terminal's Ctrl-C is for this process alone.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(*call)
    except BrokenProcessPool as error:
        broken: Future = Future()
        broken.set_exception(error)
        return broken
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _prepare_workers(pool: ProcessPoolExecutor, config: RenderConfig, workers: int) -> None:
    """Have all workers prepare, and wait for the first: its error is the error of all."""
    futures = [_submit(pool, _prepare, config) for _ in range(workers)]
    done, _ = wait(futures, return_when=FIRST_COMPLETED)
    done.pop().result()


def _completed(running: dict[Future, RenderRequest]) -> Iterator[RenderResult]:
    """Wait for results and take them out of `running`; what a worker died of stays there."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in sorted(done, key=lambda each: isinstance(each.exception(), BrokenProcessPool)):
        try:
            result = future.result()
        except BrokenProcessPool:
            raise
        except Exception as error:  # on the way to the worker or back
            result = failure(running[future].number, error)
        del running[future]
        yield result


def _start_worker(threads: int, memory_fraction: float) -> None:
    global _worker
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _worker = _make_worker(threads, memory_fraction)


def _make_worker(threads: int, memory_fraction: float = 1.0) -> "Worker":
    # TensorFlow prints to stderr when it is imported, unless it is imported so.
    tensorflow_startup.import_tensorflow()
    from nst_tf.batch.worker import Worker

    return Worker(threads, memory_fraction)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare(config: RenderConfig) -> None:
    _worker.prepare(config)


def _render(config: RenderConfig, request: RenderRequest) -> RenderResult:
    return _worker.render(config, request)
