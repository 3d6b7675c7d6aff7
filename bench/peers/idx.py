"""What the peers share: reading gzip-compressed IDX files, the command line, the JSON that each prints."""
import argparse
import gzip
import json
import os
import resource
import sys
import time

import numpy

BEGIN = time.perf_counter()  # the imports before this are in no figure but the whole process's


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="folder of the four .gz files")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as this process may use")
    chosen = parser.parse_args()
    if chosen.threads == 0:
        chosen.threads = len(os.sched_getaffinity(0))
    return chosen


def read(folder, name):
    """An IDX file of uint8 -> an array of its shape."""
    with gzip.open(os.path.join(folder, name + ".gz")) as file:
        data = file.read()
    if data[:3] != b"\0\0\x08":
        sys.exit(f"{name}.gz: no IDX file of uint8")
    rank = data[3]
    shape = numpy.frombuffer(data, ">u4", rank, 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder):
    """Images (n x pixels) and labels (n), to train on and to test on, all uint8."""
    parts = [read(folder, name) for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                             "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")]
    return [part.reshape(len(part), -1) if part.ndim == 3 else part for part in parts]


class Clock:
    """Seconds of load, train and eval, in the words of `sluice train --json`."""

    def __init__(self):
        self.seconds = {"load": 0.0, "train": 0.0, "eval": 0.0}
        self.last = BEGIN

    def lap(self, what):
        now = time.perf_counter()
        taken = now - self.last
        self.seconds[what] += taken
        self.last = now
        return taken


def report(program, options, clock, epochs, test_accuracy, **more):
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"command": program, "options": vars(options), "epochs": epochs, "test_accuracy": test_accuracy,
               "seconds": {**clock.seconds, "total": sum(clock.seconds.values())},
               "peak_rss_bytes": 1024 * max(own, children), **more}, sys.stdout)
    print()
