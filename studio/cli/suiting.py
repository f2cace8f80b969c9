"""Whether data suits the product it was given to: why not, and for each way out the command that takes it."""

from __future__ import annotations

import shlex
from typing import Any

from studio.cli.call import Call
from studio.domain.datasets import DatasetVersion
from studio.domain.products import Product
from studio.domain.shapes import Shape
from studio.domain.task_fit import Offer, advice
from studio.i18n import _


def tell_suits(call: Call, dataset: DatasetVersion, product: Product) -> dict[str, Any]:
    """Say what is in the way, if anything is; the same as facts for programs."""
    found = advice(dataset.shape, product.task, dataset.sources[0].format if dataset.sources else "")
    offers = [
        {"title": offer.title, "explanation": offer.explanation, "command": _command(offer, dataset, product)}
        for offer in found.offers
    ]
    if not found.fits:
        call.out.say(
            _("Not for “{product}” as it is: {reason}").format(product=product.name, reason=found.message)
        )
    for offer in offers:
        call.out.say(f"  {offer['title']}  {offer['command']}")
        call.out.say(f"    {offer['explanation']}")
    return {"fits": found.fits, "message": found.message, "offers": offers}


def _command(offer: Offer, dataset: DatasetVersion, product: Product) -> str:
    if offer.task is not None:
        return f"studio matrix set-task {product.id} {offer.task.value}"
    if dataset.shape is Shape.TEXT and offer.shape is Shape.TEXT_LABEL:
        return f"studio data to-label {dataset.id} --product {product.id}"
    sources = shlex.join([dataset.spec.source, *dataset.spec.more_sources])
    return f"studio import {sources} --as {offer.shape.value} --product {product.id}"
