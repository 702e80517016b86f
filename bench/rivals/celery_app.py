"""The tasks and the sender of Celery, as celery.mjs starts them. Work is done as bench/src/kit/handlers.ts does it."""

import hashlib
import json
import os
import socket
import sys
import threading
import time

from celery import Celery
from celery.signals import worker_ready

settings = json.loads(os.environ["BENCH_CELERY"])

app = Celery("bench", broker=settings["url"])
app.conf.update(
    task_ignore_result=True,
    # As the others: a job whose worker dies is run again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_transport_options={"global_keyprefix": settings["prefix"]},
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)

local = threading.local()


def say(line):
    """Tells the agent; one connection for each thread or process, made anew after a fork."""
    if getattr(local, "pid", None) != os.getpid():
        local.pid = os.getpid()
        local.connection = socket.create_connection(("127.0.0.1", settings["port"]))
    local.connection.sendall((line + "\n").encode())


@worker_ready.connect
def ready(**_):
    say(json.dumps({"ready": True}))


def compute(digests):
    block = bytearray(b"\x01" * 16_384)
    for _ in range(digests):
        digest = hashlib.sha256(block).hexdigest().encode()
        block[: len(digest)] = digest


@app.task(name="noop")
def noop(data):
    started_ms = time.monotonic_ns() / 1e6
    handler = settings["handler"]
    if handler == "wait-1":
        time.sleep(0.001)
    elif handler == "wait-50":
        time.sleep(0.05)
    elif handler == "compute-1":
        compute(settings["digests"])
    say(json.dumps({"n": data["n"], "intendedMs": data.get("intendedMs"), "startedMs": started_ms}))


def send():
    """Takes batches of inputs, a line each, and answers when the broker has all of one."""
    with app.producer_pool.acquire(block=True) as producer:
        for line in sys.stdin:
            batch = json.loads(line)
            for data in batch["inputs"]:
                noop.apply_async((data,), producer=producer)
            print(batch["id"], flush=True)


if __name__ == "__main__":
    send()
