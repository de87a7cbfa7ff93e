"""The workers of a batch on this machine: this process, or several others."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from nst_tf import startup
from nst_tf.batch.requests import Errand, Order, Painted
from nst_tf.errors import InputError

_DIED = "its worker died, perhaps for want of memory; give fewer --workers or a smaller --size"
_NONE = "no worker can begin, perhaps for want of memory; give fewer --workers"
# Of a process that paints.
_worker: list[Any] = []


def paint(
    order: Order, errands: Iterable[Errand], *, workers: int, threads: int = 0
) -> Iterator[Painted]:
    """Paint errands.

    Args:
        order: how.
        errands: the pictures; so many are taken that no worker has to wait.
        workers: how many processes; with 1 it is this one.
        threads: that each computes with; 0 for its part of the machine's cores.

    Yields:
        What became of each, as they come.

    Raises:
        InputError: there is no such network, layer or model, or no worker can begin.
    """
    if workers == 1:
        worker = _worker_with(threads)
        order = worker.settle(order)
        for errand in errands:
            yield worker.paint(order, errand)
        return
    pending, suspects = iter(errands), list[Errand]()
    while True:
        running: dict[Future, Errand] = {}
        try:
            with _pool(workers, threads) as pool:
                order = _settled(pool, order, workers)
                # Those that were there when a worker died go one by one: another may die.
                for suspect in suspects[:]:
                    running[_submit(pool, _paint, order, suspect)] = suspect
                    yield from _finished(running)
                    suspects.remove(suspect)
                for errand in pending:
                    running[_submit(pool, _paint, order, errand)] = errand
                    # One more than are at work, so that it is there when the next is wanted.
                    if len(running) > workers:
                        yield from _finished(running)
                while running:
                    yield from _finished(running)
                return
        except BrokenProcessPool:
            if not running:  # it cannot even begin
                raise InputError(_NONE) from None
            if not suspects:
                suspects = list(running.values())
            else:
                yield Painted(suspects.pop(0).number, error=_DIED)


@contextlib.contextmanager
def _pool(workers: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, and at once where something goes wrong here."""
    threads = threads or max(1, (os.cpu_count() or 1) // workers)
    others = set(multiprocessing.active_children())
    # Forked processes would have TensorFlow's locks without the threads that hold them.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn, initializer=_begin, initargs=(threads, 1 / workers))
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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(*call)
    except BrokenProcessPool as error:
        broken: Future = Future()
        broken.set_exception(error)
        return broken
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settled(pool: ProcessPoolExecutor, order: Order, workers: int) -> Order:
    """What one of the workers settles; all of them get ready."""
    asked = [_submit(pool, _settle, order) for _ in range(workers)]
    done, _ = wait(asked, return_when=FIRST_COMPLETED)
    return done.pop().result()


def _finished(running: dict[Future, Errand]) -> Iterator[Painted]:
    """What is finished next; an error stays among what is running."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in sorted(done, key=lambda each: each.exception() is not None):
        painted = future.result()
        del running[future]
        yield painted


def _begin(threads: int, share: float) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.append(_worker_with(threads, share))


def _worker_with(threads: int, share: float = 1.0) -> Any:
    # TensorFlow greets on stderr when it is imported, unless it is imported so.
    startup.import_tensorflow()
    from nst_tf.batch.worker import Worker

    return Worker(threads, share)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _settle(order: Order) -> Order:
    return _worker[0].settle(order)


def _paint(order: Order, errand: Errand) -> Painted:
    return _worker[0].paint(order, errand)
