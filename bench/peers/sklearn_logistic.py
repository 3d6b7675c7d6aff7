"""Multinomial logistic regression by scikit-learn with its default solver, L-BFGS, in at most 100 passes: a better
optimiser than SGD and a penalty on the weights, so the accuracy is its own. --epochs, --batch-size, --lr: unused."""
import warnings

import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import idx

options = idx.arguments(__doc__)
clock = idx.Clock()
images, labels, test_images, test_labels = idx.load(options.data)
X, X_test = images / 255, test_images / 255  # double: this solver turns float into double anyway
clock.lap("load")

model = LogisticRegression(solver="lbfgs", max_iter=100, random_state=options.seed)
warnings.simplefilter("ignore", ConvergenceWarning)  # the JSON says so
with threadpool_limits(options.threads):
    model.fit(X, labels)
    seconds = clock.lap("train")
    test_accuracy = float(model.score(X_test, test_labels))
clock.lap("eval")
iterations = int(model.n_iter_[0])
converged = iterations < model.max_iter
idx.report("scikit-learn, LogisticRegression", options, clock,
           [{"epoch": iterations, "test_accuracy": test_accuracy, "seconds": seconds}], test_accuracy,
           sklearn=sklearn.__version__, converged=converged,
           note=f"L-BFGS, C=1, {iterations} iterations, {'converged' if converged else 'stopped before it converged'}")
