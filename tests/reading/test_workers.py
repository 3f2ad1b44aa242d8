import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ENDLESS = """
import os, pathlib, signal, sys, time
from roadseg.reading.workers import map_in_workers

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
folder = pathlib.Path(sys.argv[1])

def work(item):
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(60)

list(map_in_workers(work, range(9), 2))
"""

UNEVEN = """
import os, time
from roadseg.reading.workers import map_in_workers

def work(item):
    time.sleep(0.02 * (item % 3))
    return item, os.getpid()

drawn = []
results = map_in_workers(work, (drawn.append(item) or item for item in range(500)), 2)
first = next(results)
print(len(drawn) < 400)
items, workers = zip(first, *results)
print(items == tuple(range(500)), len(set(workers)), os.getpid() in workers)
"""


IN_THREADS = """
import os, threading, time
from roadseg.reading.workers import map_in_workers

def work(item):
    time.sleep(0.2)  # one after the other 16 seconds in each process
    return item, (os.getpid(), threading.get_ident())

start = time.perf_counter()
items, places = zip(*map_in_workers(work, range(160), 2, threads=8, batch=40))
print(items == tuple(range(160)), len({process for process, _ in places}), time.perf_counter() - start < 12)
"""


def wait_until(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("not within 30 seconds")


def test_results_come_in_order_from_both_workers_and_items_are_drawn_as_needed():
    done = subprocess.run([sys.executable, "-c", UNEVEN], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True", "True 2 False"]


def test_threads_of_each_worker_wait_at_the_same_time():
    done = subprocess.run([sys.executable, "-c", IN_THREADS], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True 2 True"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_process_that_started_them(tmp_path, number):
    main = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        workers = [int(path.stem) for path in tmp_path.glob("*.pid")]
        assert main.pid not in workers
        main.send_signal(number)
        main.wait(30)
        wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    finally:
        main.kill()
        main.wait()
