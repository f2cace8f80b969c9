"""The plain tables: recipes, registered base models, feedback, contacted hosts, decisions."""

from __future__ import annotations

import builtins

from sqlalchemy import func, select

from studio.domain.basemodels import BaseModelInfo
from studio.domain.feedback import FeedbackItem, Signal
from studio.domain.recipes import Recipe
from studio.services.ports import Decision, OutboundCall
from studio.store.database import Database
from studio.store.schema import base_models, decisions, feedback, outbound, recipes


class SqlRecipes:
    """Implements services.ports.RecipeRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, recipe: Recipe) -> None:
        with self._database.write() as connection:
            connection.execute(
                recipes.insert().values(
                    id=recipe.id, name=recipe.name, document=recipe.model_dump(mode="json"),
                    created_at=recipe.created_at, deleted=False,
                )
            )  # fmt: skip

    def list(self) -> list[Recipe]:
        chosen = select(recipes.c.document).where(~recipes.c.deleted).order_by(recipes.c.name, recipes.c.id)
        with self._database.read() as connection:
            return [Recipe.model_validate(document) for document in connection.scalars(chosen)]

    def rename(self, recipe_id: str, name: str) -> None:
        this = recipes.c.id == recipe_id
        with self._database.write() as connection:
            document = connection.execute(select(recipes.c.document).where(this)).scalar_one()
            changed = {"name": name, "document": {**document, "name": name}}
            connection.execute(recipes.update().where(this).values(changed))

    def set_deleted(self, recipe_id: str, deleted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(recipes.update().where(recipes.c.id == recipe_id).values(deleted=deleted))


class SqlBaseModels:
    """Implements services.ports.BaseModelRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, info: BaseModelInfo) -> None:
        with self._database.write() as connection:
            connection.execute(
                base_models.insert()
                .prefix_with("OR REPLACE")
                .values(id=info.id, document=info.model_dump(mode="json"))
            )

    def list(self) -> list[BaseModelInfo]:
        with self._database.read() as connection:
            documents = connection.scalars(select(base_models.c.document).order_by(base_models.c.id)).all()
        return [BaseModelInfo.model_validate(document) for document in documents]

    def remove(self, model_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(base_models.delete().where(base_models.c.id == model_id))


class SqlFeedback:
    """Implements services.ports.FeedbackRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, item: FeedbackItem) -> None:
        with self._database.write() as connection:
            connection.execute(
                feedback.insert().values(
                    id=item.id, run_id=item.run_id, product_id=item.product_id, model_name=item.model_name,
                    prompt=item.prompt, answer=item.answer, signal=item.signal.value, correction=item.correction,
                    created_at=item.created_at,
                )
            )  # fmt: skip

    def list(self, run_id: str | None = None, limit: int = 500) -> list[FeedbackItem]:
        chosen = select(feedback).order_by(feedback.c.created_at.desc(), feedback.c.id).limit(limit)
        if run_id is not None:
            chosen = chosen.where(feedback.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
        return [
            FeedbackItem(
                row.run_id, row.product_id, row.model_name, row.prompt, row.answer, Signal(row.signal), row.correction,
                row.id, row.created_at,
            )
            for row in rows
        ]  # fmt: skip

    def counts(self, run_id: str | None) -> dict[str, int]:
        chosen = select(feedback.c.signal, func.count()).group_by(feedback.c.signal)
        chosen = chosen.where(feedback.c.run_id.is_(None) if run_id is None else feedback.c.run_id == run_id)
        with self._database.read() as connection:
            return {str(signal): int(count) for signal, count in connection.execute(chosen)}


class SqlOutbound:
    """Implements services.ports.OutboundRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, call: OutboundCall) -> None:
        with self._database.write() as connection:
            connection.execute(outbound.insert().values(host=call.host, purpose=call.purpose, at=call.at))

    def list(self, limit: int = 500) -> list[OutboundCall]:
        chosen = select(outbound).order_by(outbound.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [OutboundCall(row.host, row.purpose, row.at) for row in connection.execute(chosen)]


class SqlDecisions:
    """Implements services.ports.DecisionRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decision: Decision) -> None:
        with self._database.write() as connection:
            connection.execute(decisions.insert().values(**vars(decision)))

    def list(self, subject: str | None = None, limit: int = 500) -> builtins.list[Decision]:
        chosen = select(decisions).order_by(decisions.c.id.desc()).limit(limit)
        if subject is not None:
            chosen = chosen.where(decisions.c.subject == subject)
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
        return [Decision(row.subject, row.what, row.why, row.by, row.at) for row in rows]
