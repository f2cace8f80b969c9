"""Names by which columns are known, in English and Chinese, and how names are compared."""

from __future__ import annotations

import re
from typing import Final

CONVERSATION: Final = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "对话", "会话", "消息",
)  # fmt: skip
SYSTEM: Final = ("system", "system_prompt", "系统", "系统提示", "系统提示词")
TEXT: Final = (
    "text", "content", "document", "passage", "article", "body", "sentence", "review", "comment", "tweet", "email",
    "文本", "内容", "正文", "文章", "句子", "评论", "评价",
)  # fmt: skip
LABEL: Final = (
    "label", "class", "category", "sentiment", "intent", "topic", "target", "tag", "type", "label_text",
    "标签", "类别", "分类", "情感", "意图", "主题", "类型",
)  # fmt: skip
LABELS: Final = ("labels", "tags", "categories", "topics", "多标签", "标签列表")
NUMBER: Final = (
    "score",
    "rating",
    "stars",
    "value",
    "number",
    "price",
    "得分",
    "评分",
    "分数",
    "星级",
    "数值",
    "价格",
)
CHOSEN: Final = (
    "chosen",
    "preferred",
    "better",
    "accepted",
    "answer_chosen",
    "response_chosen",
    "更好",
    "较好",
    "更好的回答",
)
REJECTED: Final = (
    "rejected",
    "dispreferred",
    "worse",
    "answer_rejected",
    "response_rejected",
    "更差",
    "较差",
    "更差的回答",
)
THUMB: Final = (
    "thumb",
    "thumbs",
    "feedback",
    "label",
    "kto_tag",
    "liked",
    "vote",
    "点赞",
    "反馈",
    "评价",
    "满意",
)
AUDIO: Final = (
    "audio", "recording", "sound", "wav", "clip", "file", "filename", "file_name", "audio_path", "path",
    "录音", "音频", "语音", "声音", "文件", "文件名",
)  # fmt: skip
IMAGE: Final = (
    "image", "img", "picture", "photo", "file", "filename", "file_name", "image_path", "path",
    "图片", "图像", "文件", "文件名",
)  # fmt: skip
USER: Final = (
    "user",
    "user_id",
    "userid",
    "uid",
    "customer",
    "customer_id",
    "用户",
    "用户id",
    "用户编号",
    "客户",
)
ITEM: Final = (
    "item", "item_id", "itemid", "movie", "movie_id", "movieid", "product", "product_id", "sku", "book", "song",
    "商品", "商品id", "商品编号", "物品", "电影", "产品",
)  # fmt: skip
RATING: Final = ("rating", "ratings", "score", "stars", "评分", "得分", "星级", "打分")
TIME: Final = ("time", "timestamp", "date", "datetime", "created_at", "时间", "时间戳", "日期")
CONVERSATION_ID: Final = (
    "conversation_id", "dialog_id", "dialogue_id", "session_id", "session", "thread_id", "chat_id", "conv_id",
    "会话id", "对话id", "会话编号", "对话编号",
)  # fmt: skip
SPEAKER: Final = ("role", "speaker", "from", "sender", "author", "角色", "说话人", "发言人")
SAID: Final = ("content", "text", "message", "utterance", "value", "内容", "文本", "消息", "发言")
RESPONSE: Final = ("response", "answer", "completion", "output", "reply", "回答", "答案", "回复", "输出")
PROMPT: Final = ("prompt", "question", "instruction", "query", "input", "问题", "提问", "指令", "提示")
USER_TURN: Final = re.compile(r"^(?:user|human|question|customer|q|用户|问|提问|问题)_?\d+$")
ASSISTANT_TURN: Final = re.compile(r"^(?:assistant|bot|answer|gpt|agent|a|助手|答|回答|客服)_?\d+$")
# In order of preference; (question, answer).
PAIRS: Final = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("prompt", "answer"),
    ("prompt", "output"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("input", "output"),
    ("input", "response"),
    ("input", "target"),
    ("source", "target"),
    ("q", "a"),
    ("questions", "answers"),
    ("customer", "agent"),
    ("message", "reply"),
    ("问题", "回答"),
    ("问题", "答案"),
    ("问题", "回复"),
    ("问", "答"),
    ("提问", "回答"),
    ("用户", "助手"),
    ("用户", "客服"),
    ("指令", "输出"),
    ("指令", "回答"),
    ("输入", "输出"),
    ("提示", "回答"),
    ("提示词", "回答"),
)
CONTEXT: Final = {
    "instruction": ("input", "context"),
    "question": ("context",),
    "prompt": ("context",),
    "指令": ("输入",),
    "问题": ("背景",),
}
KNOWN_NAMES: Final = frozenset(
    (
        *CONVERSATION, *SYSTEM, *TEXT, *LABEL, *LABELS, *NUMBER, *CHOSEN, *REJECTED, *IMAGE, *AUDIO, *USER, *ITEM,
        *RATING, *TIME, *CONVERSATION_ID, *SPEAKER, *(name for pair in PAIRS for name in pair),
    )
)  # fmt: skip


def plain_name(name: str) -> str:
    """A column name as it is compared: lower case, without blanks around, spaces and hyphens as underscores.

    A type after a colon, as recommender data sets write it (``user_id:token``), does not count.
    """
    bare = re.sub(r":(?:token|float|token_seq|float_seq)$", "", name.strip().lower())
    return bare.replace(" ", "_").replace("-", "_")
