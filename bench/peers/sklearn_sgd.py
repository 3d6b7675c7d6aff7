"""Logistic regression by scikit-learn's SGDClassifier: one class against the rest, a step per row, its own learning
rates and penalty. --batch-size, --lr: unused."""
import sklearn
from sklearn.linear_model import SGDClassifier

import idx

options = idx.arguments(__doc__)
clock = idx.Clock()
images, labels, test_images, test_labels = idx.load(options.data)
X, X_test = images / 255, test_images / 255  # double: SGDClassifier turns float into double anyway
clock.lap("load")

model = SGDClassifier(loss="log_loss", max_iter=options.epochs, tol=None, n_jobs=options.threads,
                      random_state=options.seed)
model.fit(X, labels)
seconds = clock.lap("train")
test_accuracy = float(model.score(X_test, test_labels))
clock.lap("eval")
idx.report("scikit-learn, SGDClassifier", options, clock,
           [{"epoch": int(model.n_iter_), "test_accuracy": test_accuracy, "seconds": seconds}], test_accuracy,
           sklearn=sklearn.__version__,
           note="one against the rest, a step per row, alpha 0.0001, learning rate optimal")
