"""Softmax regression from scratch as the chapter of d2l.ai writes it, in PyTorch: a DataLoader with worker processes
that turns every image into a tensor, W and b with gradients, softmax and cross-entropy by hand, SGD by hand, the
accuracy of the test set after every epoch."""
import gzip
import os
import shutil
import tempfile

import torch
import torchvision
from torchvision import transforms

import idx

options = idx.arguments(__doc__)
clock = idx.Clock()
torch.manual_seed(options.seed)
WORKERS = 4  # the chapter's

# torchvision reads the four files decompressed, from a folder of its own naming.
root = tempfile.mkdtemp()
raw = os.path.join(root, "FashionMNIST", "raw")
os.makedirs(raw)
for name in os.listdir(options.data):
    if name.endswith(".gz"):
        with gzip.open(os.path.join(options.data, name)) as packed, open(os.path.join(raw, name[:-3]), "wb") as plain:
            shutil.copyfileobj(packed, plain)


def loader(train):
    data = torchvision.datasets.FashionMNIST(root, train=train, transform=transforms.ToTensor(), download=False)
    return torch.utils.data.DataLoader(data, options.batch_size, shuffle=train, num_workers=WORKERS)


train_iter, test_iter = loader(True), loader(False)
W = torch.normal(0, 0.01, size=(784, 10), requires_grad=True)
b = torch.zeros(10, requires_grad=True)
clock.lap("load")


def softmax(logits):
    exponentials = torch.exp(logits)
    return exponentials / exponentials.sum(1, keepdim=True)


def net(images):
    return softmax(torch.matmul(images.reshape((-1, W.shape[0])), W) + b)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def hits(y_hat, y):
    return float((y_hat.argmax(axis=1).type(y.dtype) == y).type(y.dtype).sum())


def sgd(rate, rows):
    with torch.no_grad():
        for parameter in (W, b):
            parameter -= rate * parameter.grad / rows
            parameter.grad.zero_()


epochs = []
for epoch in range(1, options.epochs + 1):
    sums = [0.0, 0.0, 0.0]  # loss, hits, rows
    for X, y in train_iter:
        y_hat = net(X)
        loss = cross_entropy(y_hat, y)
        loss.sum().backward()
        sgd(options.lr, X.shape[0])
        for i, value in enumerate((float(loss.sum()), hits(y_hat, y), y.numel())):
            sums[i] += value
    seconds = clock.lap("train")
    right = rows = 0
    with torch.no_grad():
        for X, y in test_iter:
            right += hits(net(X), y)
            rows += y.numel()
    clock.lap("eval")
    epochs.append({"epoch": epoch, "train_loss": sums[0] / sums[2], "train_accuracy": sums[1] / sums[2],
                   "test_accuracy": right / rows, "seconds": seconds})
shutil.rmtree(root)
idx.report("pytorch, as the chapter", options, clock, epochs, epochs[-1]["test_accuracy"], torch=torch.__version__)
