#!/usr/bin/env python3
"""A model that sluice trained, in the hands of other programs: read by the format of safetensors and nothing else.

usage: model_travels_test.py SLUICE     the program that was built
Exit codes: 0 all well, 1 something is wrong. Needs no package; numpy, torch and safetensors look, too, where they are.
"""
import array
import contextlib
import gzip
import hashlib
import importlib
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

SLUICE = ""
CLASSES, ROWS, COLUMNS, TEST = 7, 5, 9, 150
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def sluice(*arguments, code=0):
    """What it prints; it has to end with this code."""
    done = subprocess.run([SLUICE, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stderr}"
    return done.stdout


def floats(data):
    """Of little-endian float32."""
    values = array.array("f", data)
    assert values.itemsize == 4
    if sys.byteorder == "big":
        values.byteswap()
    return values


def read(path):
    """A safetensors file -> its header, and the bytes of each tensor."""
    file = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8 : 8 + length].decode("utf-8"))
    data = file[8 + length :]
    tensors = {
        name: data[slice(*tensor["data_offsets"])] for name, tensor in header.items() if name != "__metadata__"
    }
    return header, tensors


def write(path, tensors, metadata=None, padding=0):
    """tensors: (name, dtype, shape, bytes) in the order of the data; the header has them in the order of their names."""
    header, data = {}, b""
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    header = {name: header[name] for name in sorted(header)}
    if metadata is not None:
        header = {"__metadata__": metadata, **header}
    text = json.dumps(header).encode("utf-8") + b" " * padding
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def idx(path, rank):
    """The bytes of an IDX file behind its header, and its sizes."""
    compressed = pathlib.Path(str(path) + ".gz")
    data = gzip.decompress(compressed.read_bytes()) if compressed.exists() else pathlib.Path(path).read_bytes()
    sizes = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return data[4 + 4 * rank :], sizes


class ModelTravels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.data, cls.model = cls.path / "data", cls.path / "model.safetensors"
        sluice("synth", cls.data, "--train", 400, "--test", TEST, "--rows", ROWS, "--columns", COLUMNS, "--classes",
               CLASSES)
        cls.result = json.loads(
            sluice("train", "--data", cls.data, "--epochs", 3, "--batch-size", 50, "--json", "--quiet", "--output",
                   cls.model))
        cls.header, cls.tensors = read(cls.model)
        cls.weight, cls.bias = floats(cls.tensors["weight"]), floats(cls.tensors["bias"])
        pixels, sizes = idx(cls.data / NAMES[2], 3)
        assert sizes == (TEST, ROWS, COLUMNS), sizes
        size = ROWS * COLUMNS
        cls.images = [pixels[i * size : (i + 1) * size] for i in range(TEST)]
        cls.labels = list(idx(cls.data / NAMES[3], 1)[0])

    def test_the_file_is_as_the_format_says(self):
        file = self.model.read_bytes()
        self.assertEqual(file[8:9], b"{")
        self.assertEqual(set(self.header), {"weight", "bias", "__metadata__"})
        for value in self.header["__metadata__"].values():
            self.assertIsInstance(value, str)
        self.assertEqual(self.header["weight"]["shape"], [CLASSES, ROWS * COLUMNS])
        self.assertEqual(self.header["bias"]["shape"], [CLASSES])
        end = 0
        for tensor in sorted((self.header[name] for name in self.tensors), key=lambda t: t["data_offsets"]):
            self.assertEqual(tensor["dtype"], "F32")
            begin = tensor["data_offsets"][0]
            self.assertEqual(begin, end)  # no holes
            end = tensor["data_offsets"][1]
            self.assertEqual(end - begin, 4 * math.prod(tensor["shape"]))
        (length,) = struct.unpack("<Q", file[:8])
        self.assertEqual(8 + length + end, len(file))
        self.assertEqual((8 + length) % 8, 0)

    def test_its_bytes_are_those_of_weights_sha256(self):
        digest = hashlib.sha256(self.tensors["weight"] + self.tensors["bias"]).hexdigest()
        self.assertEqual(digest, self.result["weights_sha256"])

    def logits(self, image):
        size = ROWS * COLUMNS
        return [
            sum(w * p / 255 for w, p in zip(self.weight[c * size : (c + 1) * size], image)) + self.bias[c]
            for c in range(CLASSES)
        ]

    def test_it_predicts_the_same_elsewhere(self):
        hits, loss = 0, 0.0
        for image, label in zip(self.images, self.labels):
            z = self.logits(image)
            hits += z.index(max(z)) == label
            loss += math.log(sum(math.exp(v - max(z)) for v in z)) - (z[label] - max(z))
        self.assertEqual(hits / TEST, self.result["test_accuracy"])
        self.assertAlmostEqual(loss / TEST, self.result["test_loss"], delta=1e-5)
        self.assertGreater(hits / TEST, 1.5 / CLASSES)  # it has learnt

    def inspected(self, path, code=0):
        return json.loads(sluice("inspect", path, "--json", code=code))["files"][0]

    def test_the_same_tensors_written_elsewhere_are_the_same_model(self):
        weight = ("weight", "F32", [CLASSES, ROWS * COLUMNS], self.tensors["weight"])
        bias = ("bias", "F32", [CLASSES], self.tensors["bias"])
        other = self.path / "other.safetensors"
        for order in ((weight, bias), (bias, weight)):
            for metadata in (None, {}, {"format": "pt"}):
                for padding in (0, 5):
                    write(other, order, metadata, padding)
                    file = self.inspected(other)
                    self.assertTrue(file["sound"], file)
                    self.assertEqual(file["weights_sha256"], self.result["weights_sha256"])
                    self.assertEqual(file["shape"], [CLASSES, ROWS * COLUMNS])

    def test_what_does_not_fit_is_refused_with_what_was_expected(self):
        weight = ("weight", "F32", [CLASSES, ROWS * COLUMNS], self.tensors["weight"])
        bias = ("bias", "F32", [CLASSES], self.tensors["bias"])
        doubles = struct.pack(f"<{CLASSES}d", *self.bias)
        nan = struct.pack("<f", math.nan) + self.tensors["bias"][4:]
        other = self.path / "other.safetensors"
        for tensors, said in (
            ((weight,), "no tensor 'bias'"),
            ((weight, bias, ("scale", "F32", [1], bytes(4))), "'scale'"),
            ((weight, ("bias", "F64", [CLASSES], doubles)), "expected F32"),
            ((weight, ("bias", "F32", [CLASSES], nan)), "expected finite numbers"),
            ((("weight", "F32", [ROWS * COLUMNS, CLASSES], self.tensors["weight"]), bias), "[classes, pixels]"),
            ((weight, ("bias", "F32", [CLASSES, 1], self.tensors["bias"])), "expected [classes]"),
            ((weight, ("bias", "F32", [CLASSES], self.tensors["bias"][:-4])), "bytes"),
        ):
            write(other, tensors)
            if said in ("expected finite numbers", "bytes"):
                self.assertIn(said, self.inspected(other, code=3)["error"])
            else:  # a sound file, of another kind
                self.assertIn(said, self.inspected(other)["no_model"])
            sluice("predict", "--model", other, "--images", self.data / NAMES[2], code=3)

    @contextlib.contextmanager
    def package(self, name):
        """A package that may be missing; then this part is skipped, and said to be."""
        try:
            yield importlib.import_module(name)
        except ImportError as missing:
            self.skipTest(f"no {name} here ({missing})")

    def test_numpy_reads_it(self):
        with self.package("numpy") as numpy:
            weight = numpy.frombuffer(self.tensors["weight"], dtype="<f4").reshape(CLASSES, ROWS * COLUMNS)
            bias = numpy.frombuffer(self.tensors["bias"], dtype="<f4")
            x = numpy.array([list(image) for image in self.images], dtype=numpy.float32) / 255
            predicted = (x @ weight.T + bias).argmax(axis=1)
            self.assertEqual(float((predicted == numpy.array(self.labels)).mean()), self.result["test_accuracy"])

    def test_torch_reads_it(self):
        with self.package("torch") as torch:
            linear = torch.nn.Linear(ROWS * COLUMNS, CLASSES)
            linear.load_state_dict({
                "weight": torch.tensor(self.weight).reshape(CLASSES, ROWS * COLUMNS),
                "bias": torch.tensor(self.bias),
            })
            x = torch.tensor([list(image) for image in self.images], dtype=torch.float32) / 255
            y = torch.tensor(self.labels)
            z = linear(x)
            self.assertEqual((z.argmax(1) == y).sum().item() / TEST, self.result["test_accuracy"])
            loss = torch.nn.functional.cross_entropy(z, y).item()
            self.assertAlmostEqual(loss, self.result["test_loss"], delta=1e-5)

    def test_the_library_of_safetensors_reads_and_writes_it(self):
        with self.package("numpy"), self.package("safetensors.numpy") as library:
            tensors = library.load_file(str(self.model))
            self.assertEqual(tensors["weight"].tobytes(), self.tensors["weight"])
            self.assertEqual(tensors["bias"].tobytes(), self.tensors["bias"])
            other = self.path / "library.safetensors"
            library.save_file(tensors, str(other))
            self.assertEqual(self.inspected(other)["weights_sha256"], self.result["weights_sha256"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    SLUICE = sys.argv.pop()
    unittest.main(verbosity=2)
