"""What a model that is no language model answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Prediction:
    """labels: (label, probability), the likeliest first; number: where a number is asked for; items: (item, score),
    the best first; picture: an image file that was drawn; unknown_user: no training row has the user who was named."""

    labels: tuple[tuple[str, float], ...] = ()
    number: float | None = None
    items: tuple[tuple[str, float], ...] = ()
    picture: str = ""
    chosen: tuple[str, ...] = field(default=())  # of labels: those that the model decides for
    unknown_user: bool = False

    def words(self) -> str:
        """The answer in a line, for a probe."""
        if self.number is not None:
            return f"{self.number:.3g}"
        shown = self.labels or self.items
        return ", ".join(f"{name} {value:.0%}" if self.labels else name for name, value in shown[:3])
