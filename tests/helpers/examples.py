"""How much a costly property test looks at: all of it where slow tests run too, a third in the quick suite."""

from __future__ import annotations

import os

THOROUGH = "STUDIO_TESTS_THOROUGH"


def examples(most: int) -> int:
    """For ``settings(max_examples=...)``."""
    return most if os.environ.get(THOROUGH) else max(3, most // 3)
