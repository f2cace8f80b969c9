"""The plain tables: datasets, registered base models, feedback, contacted hosts, decisions."""

from __future__ import annotations

import builtins

from sqlalchemy import func, select

from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion
from studio.domain.feedback import FeedbackItem, Signal
from studio.services.ports import Decision, OutboundCall
from studio.store.database import Database
from studio.store.schema import base_models, datasets, decisions, feedback, outbound


class SqlDatasets:
    """Implements services.ports.DatasetRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dataset: DatasetVersion) -> None:
        with self._database.write() as connection:
            connection.execute(
                datasets.insert().values(
                    id=dataset.id, name=dataset.name, content_sha256=dataset.content_sha256,
                    document=dataset.model_dump(mode="json"), created_at=dataset.created_at, deleted=dataset.deleted,
                )
            )  # fmt: skip

    def get(self, dataset_id: str) -> DatasetVersion | None:
        with self._database.read() as connection:
            row = connection.execute(select(datasets).where(datasets.c.id == dataset_id)).first()
        return DatasetVersion.model_validate({**row.document, "deleted": row.deleted}) if row else None

    def list(self, include_deleted: bool = False) -> list[DatasetVersion]:
        chosen = select(datasets).order_by(datasets.c.created_at.desc(), datasets.c.id)
        if not include_deleted:
            chosen = chosen.where(~datasets.c.deleted)
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
        return [DatasetVersion.model_validate({**row.document, "deleted": row.deleted}) for row in rows]

    def set_deleted(self, dataset_id: str, deleted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(datasets.update().where(datasets.c.id == dataset_id).values(deleted=deleted))


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
