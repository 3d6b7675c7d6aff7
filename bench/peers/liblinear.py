"""Logistic regression by liblinear's two programs, one class against the rest, on files in its text format.
--epochs, --batch-size, --lr, --seed, --threads: unused."""
import os
import re
import subprocess
import tempfile

import numpy

import idx

options = idx.arguments(__doc__)
clock = idx.Clock()
SOLVER = ["-s", "0", "-e", "0.1", "-B", "1"]


def write(path, images, labels):
    """A line per image: its label, then index:value of the pixels that are not 0, the index from 1."""
    pixels = images.shape[1]
    words = numpy.array([f"{pixel + 1}:{value / 255:.4g}" for pixel in range(pixels) for value in range(256)], object)
    offsets = 256 * numpy.arange(pixels)
    with open(path, "w", encoding="ascii") as file:
        for image, label in zip(images, labels):
            file.write(f"{label} {' '.join(words[(offsets + image)[image > 0]])}\n")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


with tempfile.TemporaryDirectory() as folder:
    train, test, model, predicted = (os.path.join(folder, name) for name in ("train", "test", "model", "predicted"))
    images, labels, test_images, test_labels = idx.load(options.data)
    write(train, images, labels)
    write(test, test_images, test_labels)
    clock.lap("load")
    run("liblinear-train", *SOLVER, "-q", train, model)
    seconds = clock.lap("train")
    right, rows = re.search(r"\((\d+)/(\d+)\)", run("liblinear-predict", test, model, predicted)).groups()
    clock.lap("eval")
test_accuracy = int(right) / int(rows)
idx.report("liblinear", options, clock, [{"epoch": 1, "test_accuracy": test_accuracy, "seconds": seconds}],
           test_accuracy, note=f"liblinear-train {' '.join(SOLVER)}: primal, one against the rest; one thread; "
           "train and eval include reading the text")
