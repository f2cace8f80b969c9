"""A variational autoencoder of pictures, and the bound that it is trained and measured by (Kingma & Welling 2014)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studio.engine.tasks.images.models import group_norm

_SMALLEST: Final = 8  # side at which the encoder stops to halve
_INNER: Final = 8  # width of the middle layer, in channels of the first stage
_WIDEST: Final = 4


@dataclass(frozen=True)
class VaeSizes:
    """size: side of a picture; channels: of the first stage, doubled at each halving; latent: hidden numbers."""

    size: int
    colours: int
    channels: int
    latent: int
    dropout: float

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class Vae(nn.Module):
    """Pictures (B, C, S, S) from 0 to 1 -> mean and log variance of z (B, Z) -> logits of the pixels (B, C, S, S)."""

    def __init__(self, sizes: VaeSizes) -> None:
        super().__init__()
        self._sizes = sizes
        widths, side = [sizes.channels], -(-sizes.size // 2)
        while side > _SMALLEST:
            widths.append(min(2 * widths[-1], _WIDEST * sizes.channels))
            side = -(-side // 2)
        self._inside = (widths[-1], side, side)
        flat, inner = widths[-1] * side * side, _INNER * sizes.channels
        self.encoder = nn.Sequential(
            *_down(sizes.colours, widths), nn.Flatten(), nn.Dropout(sizes.dropout), nn.Linear(flat, inner), nn.GELU()
        )  # fmt: skip
        self.hidden = nn.Linear(inner, 2 * sizes.latent)
        self.opened = nn.Sequential(
            nn.Linear(sizes.latent, inner), nn.GELU(), nn.Linear(inner, flat), nn.GELU()
        )
        self.decoder = nn.Sequential(*_up(widths, sizes.colours))

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of z, each (B, Z)."""
        mean, log_variance = self.hidden(self.encoder(pictures)).chunk(2, -1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """Logits of the pixels, (B, C, S, S)."""
        drawn: Tensor = self.decoder(self.opened(z).unflatten(1, self._inside))
        return drawn[:, :, : self._sizes.size, : self._sizes.size]

    def negative_elbo(self, pictures: Tensor, noise: Tensor) -> Tensor:
        """Bound of each picture in nats, (B,): noise (B, Z) of a standard normal makes z = mean + noise · deviation."""
        mean, log_variance = (part.float() for part in self.encode(pictures))
        logits = self.decode(mean + noise * (0.5 * log_variance).exp()).float()
        return pixel_loss(logits, pictures) + divergence(mean, log_variance)


def pixel_loss(logits: Tensor, pictures: Tensor) -> Tensor:
    """-log p(x|z) in nats, (B,), for pixels that are black or white with the grey value as the probability of white.

    The expectation over such drawings of the picture is the cross-entropy with the grey values themselves, so the
    bound is one on their likelihood, and it is the figure that is usually published for grey pictures.
    """
    return F.binary_cross_entropy_with_logits(logits, pictures, reduction="none").flatten(1).sum(-1)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, 1)) in nats, (B,): -1/2 · sum(1 + log σ² - μ² - σ²) (Kingma & Welling 2014, appendix B)."""
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(-1)


def _down(colours: int, widths: list[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in zip([colours, *widths], widths, strict=False):
        layers += [nn.Conv2d(before, after, 3, 2, 1), group_norm(after), nn.GELU()]
    return layers


def _up(widths: list[int], colours: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in zip(widths[::-1], [*widths[-2::-1], widths[0]], strict=True):
        layers += [nn.ConvTranspose2d(before, after, 4, 2, 1), group_norm(after), nn.GELU()]
    return [*layers, nn.Conv2d(widths[0], colours, 3, 1, 1)]


def sampled(model: Vae, latent: int, count: int, seed: int) -> Tensor:
    """New pictures from 0 to 1, (count, C, S, S); the same for a seed. To be called in evaluation mode."""
    noise = torch.randn(count, latent, generator=torch.Generator().manual_seed(seed))
    device = next(model.parameters()).device
    with torch.no_grad():
        return model.decode(noise.to(device)).float().sigmoid().cpu()
