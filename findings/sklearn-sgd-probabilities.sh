#!/bin/sh
# scikit-learn: SGDClassifier(loss="log_loss") of three classes is no softmax regression, and neither are its probabilities.
# Packages: python3-sklearn 1.2.1+dfsg-1, python3-numpy 1:1.24.2-1+deb12u1
# Guess: the log loss of K classes is cross entropy: predict_proba is the softmax of decision_function.
# Seen: it trains K classifiers of one class against the others, and divides the K sigmoids by their sum. The softmax of its
#   decisions is far off, by more than 0.1 for some rows.
# Here: beside softmax regression it is another model: its loss and calibration do not compare, only its accuracy does.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-sklearn=1.2.1+dfsg-1 python3-numpy=1:1.24.2-1+deb12u1

/usr/bin/python3 - >seen <<'CODE'
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier
x, y = load_iris(return_X_y=True)
model = SGDClassifier(loss="log_loss", random_state=0).fit((x - x.mean(0)) / x.std(0), y)
d = model.decision_function((x - x.mean(0)) / x.std(0))
p = model.predict_proba((x - x.mean(0)) / x.std(0))
shares = lambda v: v / v.sum(axis=1, keepdims=True)
print(abs(p - shares(np.exp(d - d.max(1, keepdims=True)))).max() > 0.1, np.allclose(p, shares(1 / (1 + np.exp(-d)))))
CODE
expect "far from softmax; shares of sigmoids" "True True" "$(cat seen)"
finish
