#!/bin/sh
# scikit-learn: the log loss of the same predictions is 18.4 as float64 and 8.3 as float32.
# Packages: python3-sklearn 1.2.1+dfsg-1
# Guess: log_loss of a probability of 0 is cut at 1e-15, as up to version 1.1; the type makes a difference of 1e-7.
# Seen: eps="auto" cuts at the type's epsilon: 2.2e-16 (36.0 a case) of float64, 1.2e-7 (15.9) of float32. Two cases, one
#   with 0 for its true class, the other with 0.5: means 18.4 and 8.3.
# Here: log losses of two programs compare only where no prediction is 0, or with the same clip; a softmax in float32 gives a 0
#   at a difference of 104 in its logits.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need python3-sklearn=1.2.1+dfsg-1

/usr/bin/python3 - >seen <<'CODE'
import numpy as np
from sklearn.metrics import log_loss
p = np.array([[1.0, 0.0], [0.5, 0.5]])
print("%.1f %.1f" % (log_loss([1, 0], p), log_loss([1, 0], p.astype(np.float32))))
CODE
expect "float64, float32" "18.4 8.3" "$(cat seen)"
finish
