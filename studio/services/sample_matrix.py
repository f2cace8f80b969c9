"""The sample: a shop's customer service assistant, with the two products that feed it (the first seed's case).

Its texts are content in the sample's own language, not messages of the program, so they stand here in both.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.products import LinkKind, Matrix, Product, Purpose, Role, Stage, SynergyLink, Task


@dataclass(frozen=True)
class _Texts:
    matrix: str
    currency: str
    core: tuple[str, str]  # name, description
    recommender: tuple[str, str]
    analysis: tuple[str, str]
    asked: str  # note of: recommendation -> customer service
    bought: str  # note of: customer service -> recommendation
    topics: str  # note of: customer service -> data analysis
    gaps: str  # note of: data analysis -> customer service


_TEXTS = {
    "en": _Texts(
        matrix="Customer service (sample)", currency="USD",
        core=("Customer service assistant", "Answers customers' questions on orders, delivery, returns and products."),
        recommender=("Recommendation", "Names one fitting product, and learns what customers ask for."),
        analysis=("Data analysis", "Counts topics and unanswered questions, and says which data is missing."),
        asked="What customers look for becomes questions for the assistant.",
        bought="Questions show what a customer needs, so that the recommendation fits.",
        topics="Conversations are counted by topic.",
        gaps="Questions without a good answer become the next training rows.",
    ),
    "zh_CN": _Texts(
        matrix="智能客服（示例）", currency="CNY",
        core=("智能客服", "回答顾客关于订单、配送、退换货和商品的问题。"),
        recommender=("智能推荐", "为顾客推荐一款合适的商品，同时了解大家想要什么。"),
        analysis=("数据分析", "按主题统计对话，找出没答好的问题和缺少的数据。"),
        asked="顾客想找什么，会变成客服要学会回答的问题。",
        bought="从提问看出顾客的需要，推荐才更合适。",
        topics="对话按主题归类统计。",
        gaps="没答好的问题，就是下一批训练数据。",
    ),
}  # fmt: skip


def sample_matrix(language: str) -> Matrix:
    """A new copy of the sample matrix in ``en`` or ``zh_CN``."""
    texts = _TEXTS[language]
    core = Product(texts.core[0], Role.CORE, stage=Stage.BUILD, task=Task.CHAT, description=texts.core[1])
    recommender = Product(
        texts.recommender[0], Role.AUXILIARY, (Purpose.EXTENSION, Purpose.DATA_COLLECTION), Stage.RESEARCH,
        description=texts.recommender[1],
    )  # fmt: skip
    analysis = Product(
        texts.analysis[0],
        Role.AUXILIARY,
        (Purpose.DATA_COLLECTION,),
        Stage.IDEA,
        description=texts.analysis[1],
    )
    flow = LinkKind.DATA_FLOW
    links = (
        SynergyLink(recommender.id, core.id, flow, ("question", "chosen_product"), texts.asked),
        SynergyLink(core.id, recommender.id, flow, ("question", "topic"), texts.bought),
        SynergyLink(core.id, analysis.id, flow, ("question", "answer", "topic", "rating"), texts.topics),
        SynergyLink(analysis.id, core.id, flow, ("question", "corrected_answer"), texts.gaps),
    )
    return Matrix(
        name=texts.matrix,
        currency=texts.currency,
        products=(core, recommender, analysis),
        links=links,
        is_sample=True,
    )
