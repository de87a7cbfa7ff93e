"""The workers of a batch on a Ray cluster: each is an actor.

Ray places the actors, and restarts those of a node that died as soon as there are free cores.
"""

import contextlib
import logging
import os
import signal
import socket
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from typing import Any, TypeAlias

from nst_tf import tensorflow_startup
from nst_tf.batch.requests import RenderConfig, RenderRequest, RenderResult, failure
from nst_tf.batch.worker import Worker
from nst_tf.errors import InputError, one_line

# So many workers may die while they render the same request.
_MAX_ATTEMPTS = 3
# The module and its actors; Ray may not be installed.
Ray: TypeAlias = Any
Actor: TypeAlias = Any


def render(
    config: RenderConfig,
    requests: Iterable[RenderRequest],
    *,
    workers: int,
    threads: int,
    address: str,
) -> Generator[RenderResult, None, None]:
    """Render requests on the cluster at an address, or on one that runs here as long as this does.

    Results come as they are ready, and requests are taken as workers need them. 0 workers are as
    many as fit. `threads` is what each worker computes with, and the number of cores it occupies; 0
    are all cores of the smallest node. An InputError means that nothing can be rendered: no Ray, no
    cluster, too few cores, or no such network, layer or model.
    """
    with _cluster(address) as ray:
        actors = _start_actors(ray, workers, threads)
        yield from _Scheduler(ray, config, requests).render(actors)


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Ray]:
    """The module `ray`, connected."""
    if not address:
        # It would leave a token in ~/.ray, which clusters that were started without do not know.
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "runner=ray: Ray is not installed; pip install -r requirements-ray.txt"
        ) from error
    try:
        _connect(ray, address)
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Ray, address: str) -> None:
    # Ray's own niceness is 15: whatever else runs on this machine would starve the workers.
    system = {"worker_niceness": 0}
    local = {"include_dashboard": False, "_node_ip_address": "127.0.0.1", "_system_config": system}
    handler = signal.getsignal(signal.SIGTERM)  # Ray installs its own
    try:
        _check_port(address)
        ray.init(
            address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else local),
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"ray_address={address}: cannot connect to the Ray cluster ({one_line(error, 200)}); "
            "give the address that `ray start` has printed, and RAY_AUTH_MODE=token if it needs one"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, handler)


def _check_port(address: str) -> None:
    """Raise OSError if nothing listens at the address; Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _start_actors(ray: Ray, workers: int, threads: int) -> list[Actor]:
    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    threads = threads or min(filter(None, cores), default=1)
    capacity = sum(count // threads for count in cores)
    if capacity < 1:
        raise InputError(
            f"threads={threads}: the largest node has {max(cores, default=0)} cores, and a worker "
            "must fit on one; give fewer"
        )
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if gpus:
        capacity = min(capacity, gpus)
    actor = ray.remote(
        num_cpus=threads,
        num_gpus=1 if gpus else 0,
        max_restarts=-1,
        # A worker's module imports TensorFlow before the worker itself can set them.
        runtime_env={"env_vars": tensorflow_startup.KERAS},
    )(Worker)
    return [actor.remote(threads) for _ in range(workers or capacity)]


class _Scheduler:
    """Gives each actor a request as soon as it is prepared or has rendered the last one."""

    def __init__(self, ray: Ray, config: RenderConfig, requests: Iterable[RenderRequest]):
        self._ray, self._config, self._requests = ray, config, iter(requests)
        self._retries: deque[RenderRequest] = deque()
        self._deaths: Counter[int] = Counter()  # by the number of the request
        # The actor behind each future, and its request, or None while it prepares.
        self._running: dict[Any, tuple[Actor, RenderRequest | None]] = {}
        self._idle: list[Actor] = []

    def render(self, actors: list[Actor]) -> Iterator[RenderResult]:
        for actor in actors:
            self._prepare(actor)
        while not self._is_done():
            (future, *_), _ = self._ray.wait(list(self._running), num_returns=1)
            actor, request = self._running.pop(future)
            try:
                result = self._ray.get(future)
            except self._ray.exceptions.RayTaskError as error:
                if request is None:
                    raise error.cause from error
                result = failure(request.number, error.cause)
            except self._ray.exceptions.RayError as error:
                if request is not None:
                    self._prepare(actor)
                    yield from self._retry(request, error)
                elif not self._running and not self._idle:
                    raise InputError(
                        f"runner=ray: no worker starts (...{one_line(error, 10_000)[-200:]}); "
                        "install this version of nst_tf on every node"
                    ) from error
                continue
            self._idle.append(actor)
            self._submit()
            if request is not None:
                yield result

    def _is_done(self) -> bool:
        # An idle actor has found no request left. Others may wait for free cores for ever.
        return bool(self._idle) and not any(request for _, request in self._running.values())

    def _prepare(self, actor: Actor) -> None:
        # Retried until Ray has started, or restarted, the actor.
        future = actor.prepare.options(max_task_retries=-1).remote(self._config)
        self._running[future] = actor, None

    def _submit(self) -> None:
        """Give requests to the idle actors, as far as there are any."""
        while self._idle and (request := self._next_request()) is not None:
            actor = self._idle.pop()
            self._running[actor.render.remote(self._config, request)] = actor, request

    def _next_request(self) -> RenderRequest | None:
        return self._retries.popleft() if self._retries else next(self._requests, None)

    def _retry(self, request: RenderRequest, error: Exception) -> Iterator[RenderResult]:
        """Queue a request whose worker died, or give it up."""
        self._deaths[request.number] += 1
        if self._deaths[request.number] < _MAX_ATTEMPTS:
            self._retries.append(request)
            self._submit()
        else:
            message = f"{_MAX_ATTEMPTS} workers died while rendering it ({type(error).__name__})"
            yield RenderResult(request.number, error=message)
