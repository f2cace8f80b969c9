"""The product matrix: one core product, the auxiliary products that feed it, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from studio.domain.ids import new_id
from studio.domain.values import now
from studio.errors import StudioError
from studio.i18n import N_, _


class Role(StrEnum):
    CORE = "core"
    AUXILIARY = "auxiliary"


class Purpose(StrEnum):
    """Why an auxiliary product exists (first article, 3.2.2)."""

    EXTENSION = "extension"
    INTERACTION = "interaction"
    DATA_COLLECTION = "data_collection"


class Stage(StrEnum):
    IDEA = "idea"
    RESEARCH = "research"
    BUILD = "build"
    PILOT = "pilot"
    LIVE = "live"
    SUNSET = "sunset"


class Task(StrEnum):
    """What a product's model does."""

    CHAT = "chat"
    LANGUAGE_MODEL = "language_model"
    CLASSIFY_TEXT = "classify_text"
    RATE_TEXT = "rate_text"
    CLASSIFY_IMAGES = "classify_images"
    DRAW_IMAGES = "draw_images"
    RECOMMEND = "recommend"
    HEAR_COMMANDS = "hear_commands"


class LinkKind(StrEnum):
    DATA_FLOW = "data_flow"
    SHARED_MODEL = "shared_model"
    FEATURE = "feature"
    CHANNEL = "channel"
    CROSS_SELL = "cross_sell"
    COST_SHARE = "cost_share"


class LinkState(StrEnum):
    DESIGNED = "designed"
    ACTIVE = "active"
    BROKEN = "broken"


TITLES: dict[StrEnum, str] = {
    Role.CORE: N_("Core"),
    Role.AUXILIARY: N_("Auxiliary"),
    Purpose.EXTENSION: N_("Extends the core product"),
    Purpose.INTERACTION: N_("Improves how people interact"),
    Purpose.DATA_COLLECTION: N_("Collects data"),
    Stage.IDEA: N_("Idea"),
    Stage.RESEARCH: N_("Research"),
    Stage.BUILD: N_("Build"),
    Stage.PILOT: N_("Pilot"),
    Stage.LIVE: N_("Live"),
    Stage.SUNSET: N_("Sunset"),
    Task.CHAT: N_("Answers in conversation"),
    Task.LANGUAGE_MODEL: N_("Writes text"),
    Task.CLASSIFY_TEXT: N_("Sorts texts"),
    Task.RATE_TEXT: N_("Rates texts with a number"),
    Task.CLASSIFY_IMAGES: N_("Recognises pictures"),
    Task.DRAW_IMAGES: N_("Draws pictures"),
    Task.RECOMMEND: N_("Recommends"),
    Task.HEAR_COMMANDS: N_("Hears spoken commands"),
    LinkKind.DATA_FLOW: N_("Data flows"),
    LinkKind.SHARED_MODEL: N_("Shared model"),
    LinkKind.FEATURE: N_("Feature"),
    LinkKind.CHANNEL: N_("Sales channel"),
    LinkKind.CROSS_SELL: N_("Cross-selling"),
    LinkKind.COST_SHARE: N_("Shared cost"),
    LinkState.DESIGNED: N_("Designed"),
    LinkState.ACTIVE: N_("Active"),
    LinkState.BROKEN: N_("Broken"),
}


TASK_HELP: dict[Task, str] = {
    Task.CHAT: N_("Answers customers in sentences; learns from questions and answers."),
    Task.LANGUAGE_MODEL: N_("Goes on with a text in your style; learns from plain passages."),
    Task.CLASSIFY_TEXT: N_(
        "Gives each text one or more labels, such as the topic; learns from texts with labels."
    ),
    Task.RATE_TEXT: N_("Gives each text a number, such as stars; learns from texts with numbers."),
    Task.CLASSIFY_IMAGES: N_("Says what is in a picture; learns from pictures with labels."),
    Task.DRAW_IMAGES: N_("Draws new pictures like yours; learns from pictures alone."),
    Task.RECOMMEND: N_("Names what a customer may like next; learns from who rated or chose what."),
    Task.HEAR_COMMANDS: N_("Tells short spoken commands apart; learns from recordings with labels."),
}


def task_help(task: Task) -> str:
    """What such a product does and learns from, in a sentence in the active language."""
    return _(TASK_HELP[task])


def title(member: StrEnum) -> str:
    """The member's name for a person, in the active language."""
    return _(TITLES[member])


@dataclass(frozen=True)
class Product:
    """One AI product of a matrix; purposes are for auxiliaries only."""

    name: str
    role: Role
    purposes: tuple[Purpose, ...] = ()
    stage: Stage = Stage.IDEA
    task: Task = Task.CHAT
    description: str = ""
    id: str = field(default_factory=new_id)
    dataset_id: str | None = None  # the dataset version chosen for its next run
    created_at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class SynergyLink:
    """What flows from one product to another; ``payload`` names the data columns that flow."""

    source_id: str
    target_id: str
    kind: LinkKind = LinkKind.DATA_FLOW
    payload: tuple[str, ...] = ()
    note: str = ""
    state: LinkState = LinkState.DESIGNED
    rows_flowed: int = 0
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Matrix:
    """A named matrix. Money is in ``currency`` (ISO 4217); the planning horizon is in months."""

    name: str
    currency: str = "CNY"
    horizon_months: int = 12
    products: tuple[Product, ...] = ()
    links: tuple[SynergyLink, ...] = ()
    id: str = field(default_factory=new_id)
    is_sample: bool = False
    created_at: datetime = field(default_factory=now)

    @property
    def core(self) -> Product | None:
        """The core product, or None while there is none."""
        return next((p for p in self.products if p.role is Role.CORE), None)

    def product(self, product_id: str) -> Product:
        """The product with this id. Raises StudioError ``product.unknown``."""
        for product in self.products:
            if product.id == product_id:
                return product
        raise StudioError("product.unknown", _("This product is not in the matrix any more."))

    def with_product(self, product: Product) -> Matrix:
        """The matrix with the product added or replaced. Raises StudioError when a rule is broken."""
        check_product(self, product)
        others = tuple(p for p in self.products if p.id != product.id)
        if len(others) == len(self.products):
            return replace(self, products=(*self.products, product))
        return replace(self, products=tuple(product if p.id == product.id else p for p in self.products))

    def with_link(self, link: SynergyLink) -> Matrix:
        """The matrix with the link added or replaced. Raises StudioError when a rule is broken."""
        check_link(self, link)
        kept = tuple(existing for existing in self.links if existing.id != link.id)
        return replace(self, links=(*kept, link))


def check_product(matrix: Matrix, product: Product) -> None:
    """One core product at most, a name for each, names unique, purposes only on auxiliaries."""
    if not product.name.strip():
        raise StudioError("product.no_name", _("The product has no name."), _("Type a name."))
    others = [p for p in matrix.products if p.id != product.id]
    if product.role is Role.CORE and any(p.role is Role.CORE for p in others):
        raise StudioError(
            "matrix.second_core",
            _("The matrix already has a core product."),
            _("Make this one auxiliary, or change the other first."),
        )
    if product.role is Role.CORE and product.purposes:
        raise StudioError("product.core_purpose", _("Only auxiliary products have a purpose."))
    if any(p.name.strip().casefold() == product.name.strip().casefold() for p in others):
        raise StudioError("product.same_name", _("Another product has this name."), _("Choose another name."))


def check_link(matrix: Matrix, link: SynergyLink) -> None:
    """A link joins two different products of the matrix, once for each kind and direction."""
    matrix.product(link.source_id)
    matrix.product(link.target_id)
    if link.source_id == link.target_id:
        raise StudioError("link.self", _("A product cannot be linked to itself."))
    ends = (link.source_id, link.target_id, link.kind)
    if any((x.source_id, x.target_id, x.kind) == ends and x.id != link.id for x in matrix.links):
        raise StudioError("link.exists", _("These two products are already linked in this way."))
