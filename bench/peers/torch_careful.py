"""Softmax regression in PyTorch as a careful user writes it: the whole set in memory as float, rows gathered by index,
fused cross-entropy, no DataLoader."""
import numpy
import torch

import idx

options = idx.arguments(__doc__)
clock = idx.Clock()
torch.manual_seed(options.seed)
torch.set_num_threads(options.threads)

images, labels, test_images, test_labels = idx.load(options.data)
X, y = torch.from_numpy(images.astype(numpy.float32)).div_(255), torch.from_numpy(labels.astype(numpy.int64))
X_test = torch.from_numpy(test_images.astype(numpy.float32)).div_(255)
y_test = torch.from_numpy(test_labels.astype(numpy.int64))
classes = int(y.max()) + 1
W = torch.normal(0, 0.01, size=(X.shape[1], classes), requires_grad=True)
b = torch.zeros(classes, requires_grad=True)
clock.lap("load")

epochs = []
for epoch in range(1, options.epochs + 1):
    order = torch.randperm(len(y))
    loss_sum = torch.zeros(())
    right = torch.zeros((), dtype=torch.int64)
    for rows in order.split(options.batch_size):
        batch, target = X.index_select(0, rows), y.index_select(0, rows)
        logits = torch.addmm(b, batch, W)
        loss = torch.nn.functional.cross_entropy(logits, target)
        loss.backward()
        with torch.no_grad():
            for parameter in (W, b):
                parameter.sub_(parameter.grad, alpha=options.lr)
                parameter.grad = None
            loss_sum += loss.detach() * len(rows)
            right += (logits.argmax(1) == target).sum()
    seconds = clock.lap("train")
    with torch.no_grad():
        test_accuracy = float((torch.addmm(b, X_test, W).argmax(1) == y_test).float().mean())
    clock.lap("eval")
    epochs.append({"epoch": epoch, "train_loss": float(loss_sum) / len(y), "train_accuracy": float(right) / len(y),
                   "test_accuracy": test_accuracy, "seconds": seconds})
idx.report("pytorch, careful", options, clock, epochs, epochs[-1]["test_accuracy"], torch=torch.__version__)
