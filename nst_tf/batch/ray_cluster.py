"""The workers of a batch on a Ray cluster: one actor a worker, each with the network.

Ray places the actors, and starts those anew whose node has died, as soon as there is room.
"""

import contextlib
import logging
import os
import signal
import socket
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

from nst_tf.batch.requests import Errand, Order, Painted
from nst_tf.batch.worker import Worker
from nst_tf.errors import InputError

# How often an errand may be with a worker that dies.
_TRIES = 3


def paint(
    order: Order, errands: Iterable[Errand], *, workers: int, threads: int, address: str
) -> Iterator[Painted]:
    """Paint errands.

    Args:
        order: how.
        errands: the pictures; so many are taken that no worker has to wait.
        workers: how many; 0 for as many as there is room for.
        threads: that each computes with, and so many cores it takes; 0 for all of a node, of the
            smallest one where nodes differ.
        address: of the cluster; empty to start one on this machine, and to stop it at the end.

    Yields:
        What became of each, as they come.

    Raises:
        InputError: Ray is not installed, there is no such cluster or too little room in it, or
            there is no such network, layer or model.
    """
    with _connected(address) as ray:
        actors = _actors(ray, workers, threads)
        yield from _Errands(ray, order, errands).paint(actors)


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    if not address:
        # It would leave a token in ~/.ray, which clusters that were begun without do not know.
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "runner=ray: Ray is not installed; pip install -r requirements-ray.txt"
        ) from error
    try:
        _begin(ray, address)
        yield ray
    finally:
        ray.shutdown()


def _begin(ray: Any, address: str) -> None:
    # Ray's own niceness is 15: whatever else runs on this machine would starve the workers.
    system = {"worker_niceness": 0}
    ours = {"include_dashboard": False, "_node_ip_address": "127.0.0.1", "_system_config": system}
    # Ray takes SIGTERM for itself.
    heard = signal.getsignal(signal.SIGTERM)
    try:
        _knock(address)
        ray.init(
            address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else ours),
        )
    except (OSError, RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(
            f"ray_address={address}: no cluster lets us in ({why}); give the address that "
            "`ray start` has printed, and RAY_AUTH_MODE=token if it wants one"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, heard)


def _knock(address: str) -> None:
    """Fail where nobody listens; Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _actors(ray: Any, workers: int, threads: int) -> list[Any]:
    there = ray.cluster_resources()
    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    threads = threads or min(filter(None, cores), default=1)
    room = sum(count // threads for count in cores)
    if room < 1:
        raise InputError(
            f"threads={threads}: the largest node has {max(cores, default=0)} cores, and a worker "
            "must fit on one; give fewer"
        )
    # A GPU each, where there are some.
    gpus = int(there.get("GPU", 0))
    needs = {"num_cpus": threads, "num_gpus": 1 if gpus else 0}
    count = workers or (min(room, gpus) if gpus else room)
    actor = ray.remote(**needs, max_restarts=-1)(Worker)
    return [actor.remote(threads) for _ in range(count)]


class _Errands:
    """Hands errands to actors that are ready for one."""

    def __init__(self, ray: Any, order: Order, errands: Iterable[Errand]):
        self._ray, self._order, self._errands = ray, order, iter(errands)
        self._again: deque[Errand] = deque()
        self._lost: Counter[int] = Counter()
        # What an actor is at: an errand, or None while it gets ready.
        self._running: dict[Any, tuple[Any, Errand | None]] = {}
        self._idle: list[Any] = []

    def paint(self, actors: list[Any]) -> Iterator[Painted]:
        """Paint all of them; an actor that is still getting ready then is not waited for."""
        for actor in actors:
            self._prepare(actor)
        while not self._finished():
            (done, *_), _ = self._ray.wait(list(self._running), num_returns=1)
            actor, errand = self._running.pop(done)
            try:
                answer = self._ray.get(done)
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except self._ray.exceptions.RayError as error:
                if errand is not None:
                    self._prepare(actor)
                    yield from self._lose(errand, error)
                elif not self._running and not self._idle:
                    raise _refusal(error) from error
                continue
            if errand is None and not self._order.precision:
                # The others settle for the same.
                self._order = answer
            self._idle.append(actor)
            self._hand_out()
            if errand is not None:
                yield answer

    def _finished(self) -> bool:
        # An idle actor has found nothing left to do; others may be waiting for room for ever.
        return bool(self._idle) and not any(errand for _, errand in self._running.values())

    def _hand_out(self) -> None:
        while self._idle and (errand := self._next()) is not None:
            actor = self._idle.pop()
            self._running[actor.paint.remote(self._order, errand)] = actor, errand

    def _prepare(self, actor: Any) -> None:
        # Tried for as long as it takes to have the actor there, also anew.
        ready = actor.settle.options(max_task_retries=-1).remote(self._order)
        self._running[ready] = actor, None

    def _next(self) -> Errand | None:
        return self._again.popleft() if self._again else next(self._errands, None)

    def _lose(self, errand: Errand, error: Exception) -> Iterator[Painted]:
        self._lost[errand.number] += 1
        if self._lost[errand.number] < _TRIES:
            self._again.append(errand)
            self._hand_out()
        else:
            yield Painted(
                errand.number, error=f"{_TRIES} workers died of it ({type(error).__name__})"
            )


def _refusal(error: Exception) -> InputError:
    why = " ".join(str(error).split())[-200:]
    return InputError(
        f"runner=ray: no worker can begin (...{why}); install this version of nst_tf on every node"
    )
