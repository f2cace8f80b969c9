"""``studio matrix``: matrices, their products, and the links between them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from studio.cli import pick
from studio.cli.call import Answer, Call
from studio.cli.verbs import Verbs
from studio.domain.products import LinkKind, Matrix, Product, Purpose, Role, Stage, Task, title
from studio.domain.verdicts import title as verdict_title
from studio.i18n import N_, _, current_language
from studio.services.container import Services
from studio.services.matrices import ProductRow
from studio.words import listed

MatrixName = Annotated[str, typer.Argument(metavar="MATRIX", help=N_("Id or name of the matrix."))]


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    group = verbs.group(app, "matrix", _("Product matrices: list, show, create, extend."))
    verbs.add(group, list_, "list", _("List the matrices."))
    verbs.add(group, show, "show", _("Show a matrix: products, data, runs, verdicts and costs."))
    verbs.add(group, create, "create", _("Make a matrix with its core product."))
    verbs.add(group, add_product, "add-product", _("Add an auxiliary product."))
    verbs.add(group, set_task, "set-task", _("Choose what a product's model does."))
    verbs.add(group, link, "link", _("Link two products."))
    verbs.add(group, sample, "sample", _("Open the sample matrix in the chosen language."))


def list_(call: Call) -> Answer:
    """All matrices."""
    with call.reading() as services:
        matrices = services.matrices.list()
    rows = [(m.id, m.name, m.core.name if m.core else "", len(m.products), len(m.links)) for m in matrices]
    call.out.table([_("Id"), _("Name"), _("Core product"), _("Products"), _("Links")], rows)
    return Answer({"matrices": [asdict(m) for m in matrices]})


def show(
    call: Call,
    matrix: Annotated[
        str | None, typer.Argument(metavar="MATRIX", help=_("Id or name. Default: the only one."))
    ] = None,
) -> Answer:
    """One matrix with what is known of each product."""
    with call.up_to_date() as (services, _ours):
        return _shown(call, services, pick.matrix(services.matrices, matrix))


def create(
    call: Call,
    name: Annotated[str, typer.Argument(help=_("Name of the matrix."))],
    core: Annotated[str, typer.Option(help=_("Name of the core product."))],
    description: Annotated[str, typer.Option(help=_("What the core product does."))] = "",
    task: Annotated[Task, typer.Option(help=_("What its model does."))] = Task.CHAT,
    currency: Annotated[str, typer.Option(help=_("Currency of all money, e.g. CNY."))] = "CNY",
) -> Answer:
    """A new matrix."""
    with call.writing() as services:
        made = services.matrices.create(name, core, description=description, task=task, currency=currency)
        return _shown(call, services, made)


def add_product(
    call: Call,
    matrix: MatrixName,
    name: Annotated[str, typer.Argument(help=_("Name of the product."))],
    purpose: Annotated[
        list[Purpose] | None, typer.Option(help=_("Why it exists; may be given several times."), show_default=False)
    ] = None,
    stage: Annotated[Stage, typer.Option(help=_("How far it is."))] = Stage.IDEA,
    task: Annotated[Task, typer.Option(help=_("What its model does."))] = Task.CHAT,
    description: Annotated[str, typer.Option(help=_("What it does."))] = "",
    dataset: Annotated[
        str | None, typer.Option(help=_("Data for its next run: id, name or “newest”."), show_default=False)
    ] = None,
) -> Answer:  # fmt: skip
    """A new auxiliary product."""
    with call.writing() as services:
        found = pick.matrix(services.matrices, matrix)
        data_id = pick.dataset(services, dataset).id if dataset else None
        product = Product(
            name.strip(), Role.AUXILIARY, tuple(purpose or ()), stage, task, description, dataset_id=data_id
        )
        services.matrices.add_product(found.id, product)
        answer = _shown(call, services, services.matrices.get(found.id))
    return Answer({**answer.data, "product_id": product.id})


def set_task(
    call: Call,
    product: Annotated[str, typer.Argument(help=_("Id or name of the product."))],
    task: Annotated[Task, typer.Argument(help=_("What its model does."))],
) -> Answer:
    """A product that does something else from now on."""
    with call.writing() as services:
        found = pick.product(services.matrices.list(), product)
        changed = services.matrices.set_task(found.id, task)
    text = _("“{product}” is now this kind of product: {task}")
    call.out.say(text.format(product=changed.name, task=title(changed.task)))
    return Answer({"product_id": changed.id, "task": changed.task})


def link(
    call: Call,
    matrix: MatrixName,
    source: Annotated[str, typer.Argument(help=_("Product from which something flows."))],
    target: Annotated[str, typer.Argument(help=_("Product to which it flows."))],
    kind: Annotated[LinkKind, typer.Option(help=_("What flows."))] = LinkKind.DATA_FLOW,
    payload: Annotated[
        list[str] | None,
        typer.Option(help=_("A data column that flows; may be given several times."), show_default=False),
    ] = None,
    note: Annotated[str, typer.Option(help=_("Why this link exists."))] = "",
) -> Answer:  # fmt: skip
    """A new link."""
    with call.writing() as services:
        found = pick.matrix(services.matrices, matrix)
        ends = [pick.product([found], wanted).id for wanted in (source, target)]
        made = services.matrices.link(found.id, ends[0], ends[1], kind, payload or (), note)
        answer = _shown(call, services, services.matrices.get(found.id))
    return Answer({**answer.data, "link_id": made.id})


def sample(call: Call) -> Answer:
    """The sample in the language of this call."""
    with call.writing() as services:
        return _shown(call, services, services.matrices.open_sample(current_language()))


def _shown(call: Call, services: Services, matrix: Matrix) -> Answer:
    rows = services.matrices.overview(matrix.id)
    say = call.out.say
    say(f"{matrix.name} · {matrix.id}")
    call.out.table(
        [_("Id"), _("Product"), _("Role"), _("Stage"), _("Data"), _("Last run"), _("Verdict")],
        [_product_cells(row) for row in rows],
    )
    for link_ in matrix.links:
        ends = (matrix.product(link_.source_id).name, matrix.product(link_.target_id).name)
        say(f"{ends[0]} → {ends[1]} · {title(link_.kind)} · {listed(link_.payload)}")
    return Answer({**asdict(matrix), "overview": [_product_facts(row) for row in rows]})


def _product_cells(row: ProductRow) -> tuple[object, ...]:
    return (
        row.product.id, row.product.name, title(row.product.role), title(row.product.stage),
        row.dataset.name if row.dataset else "", row.latest_run.name if row.latest_run else "",
        verdict_title(row.verdict.kind) if row.verdict else "",
    )  # fmt: skip


def _product_facts(row: ProductRow) -> dict[str, Any]:
    money = {"training_cost": row.training_cost, "cost_per_1k_answers": row.cost_per_1k_answers}
    return {
        "product_id": row.product.id, "dataset_id": row.dataset.id if row.dataset else None,
        "run_id": row.latest_run.id if row.latest_run else None,
        "verdict": row.verdict.kind if row.verdict else None,
        **{name: asdict(value) if value else None for name, value in money.items()},
    }  # fmt: skip
