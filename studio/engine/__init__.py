"""Everything that needs torch: loading, training, generating, converting. Imported by workers only."""

import os

# Before torch loads its OpenMP: threads that wait for each other sleep and do not spin, unless ``threads`` sees to it
# that nobody else wants the cores. Two studio processes (a chat beside a training run) otherwise spin against each
# other: measured on two cores 0.4 tokens/s spinning, 7 sleeping.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("KMP_BLOCKTIME", "0")  # the same for Intel's and LLVM's OpenMP
# oneDNN keeps a prepared product, with its scratch memory, for every shape that it has met, and each batch length is a
# new shape: 40 steps of a LoRA run peaked at 2.18 GB with its default of 1,024 and at 1.79 GB with 32, equally fast.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
