"""Everything that needs torch: loading, training, generating, converting. Imported by workers only."""

import os

# Before torch loads its OpenMP: threads that wait for each other must sleep, not spin. Two studio processes on the
# same cores (a chat beside a training run) otherwise spin against each other: measured on two cores 0.4 tokens/s
# spinning, 7 sleeping.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("KMP_BLOCKTIME", "0")  # the same for Intel's and LLVM's OpenMP
