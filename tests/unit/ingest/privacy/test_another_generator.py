"""The scanner against values that another program makes up (Faker), in phrases that it was not made with."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import pytest
from faker import Faker

from studio.domain.private_data import PrivateKind
from tests.unit.ingest.privacy.labelled import Sentence, score

EACH: Final = 150
RECALL: Final = 0.95
_K = PrivateKind
PHRASES: Final = {
    "zh_CN": {
        _K.PERSON_NAME: (
            "我叫{}，想退货", "客户{}反映没有收到货", "{}先生您好", "请联系{}处理", "收件人：{}", "{}昨天打过电话",
            "我是{}，订单还没到", "请把包裹交给{}", "和{}沟通过了", "用户{}的账户被锁", "请问{}在吗？", "感谢{}的帮助",
        ),
        _K.PHONE: ("我的电话是{}", "请拨打{}", "手机号{}，谢谢", "联系方式：{}", "打{}找我"),
        _K.EMAIL: ("发到{}", "邮箱：{}", "我的邮箱是{}，请回复"),
        _K.NATIONAL_ID: ("身份证号{}", "我的证件号是{}", "{}是我的身份证"),
        _K.BANK_CARD: ("卡号{}", "银行卡：{}", "把钱退到卡{}上"),
        _K.ADDRESS: ("地址：{}", "寄到{}", "我住在{}", "收货地址是{}"),
    },
    "en_US": {
        _K.PERSON_NAME: (
            "My name is {}", "Please contact {} about it", "Dear {},", "Regards,\n{}", "{} called yesterday",
            "I spoke with {} last week", "Customer {} wants a refund", "This is {} speaking", "Ship to: {}",
            "Ask for {} at the desk", "I am {} and my order is late", "The account of {} is locked",
        ),
        _K.PHONE: ("Call me at {}", "Phone: {}", "my number is {}", "reach me on {} after five"),
        _K.EMAIL: ("write to {}", "Email: {}", "my mail is {}, thanks"),
        _K.NATIONAL_ID: ("SSN {}", "my social security number is {}"),
        _K.BANK_CARD: ("card {}", "my card number is {}", "my Visa is {}"),
        _K.ADDRESS: ("Address: {}", "ship it to {}", "I live at {}", "deliver to {}"),
    },
}  # fmt: skip


def _makers(fake: Faker) -> dict[PrivateKind, Callable[[], str]]:
    return {
        _K.PERSON_NAME: lambda: f"{fake.last_name()}{fake.first_name()}" if fake.locales == ["zh_CN"] else
        f"{fake.first_name()} {fake.last_name()}",
        _K.PHONE: fake.phone_number, _K.EMAIL: fake.email, _K.NATIONAL_ID: fake.ssn,
        _K.BANK_CARD: fake.credit_card_number, _K.ADDRESS: lambda: fake.address().replace("\n", ", "),
    }  # fmt: skip


@pytest.mark.parametrize("locale", sorted(PHRASES))
def test_recall_holds_for_what_another_program_makes_up(locale: str) -> None:
    fake = Faker(locale)
    fake.seed_instance(20)
    random, makers = Random(20), _makers(fake)
    sentences = []
    for kind, phrases in PHRASES[locale].items():
        for _time in range(EACH):
            value = makers[kind]()
            before, after = random.choice(phrases).split("{}")
            place = (len(before), len(before) + len(value), kind)
            sentences.append(Sentence(before + value + after, [place]))
    result = score(sentences)
    low = {kind: result.recall(kind) for kind in makers if result.recall(kind) < RECALL}
    assert low == {}, result.mistakes
