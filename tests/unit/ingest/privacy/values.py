"""Seeded random values for the labelled sentences: private ones with valid checksums, and look-alikes without.

Nothing here comes from the scanner or its word lists, so that the figures are not the scanner's own echo.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final


def _words(text: str) -> list[str]:
    return text.split()


_ZH_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛"
    "叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔"
    "贺赖龚文欧阳诸葛"
)
_ZH_GIVEN: Final = _words(
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀英 建华 志强 晓东 "
    "雨桐 梓涵 思远 佳怡 子墨 国庆 海燕 文博 若曦 天宇 慧敏 立新 春梅 俊杰 诗琪 "
    "浩然 嘉欣 一鸣 晨曦 "
)
_EN_GIVEN: Final = _words(
    "Michael Sarah David Emma Olivia Liam Noah Sophia Ethan Hannah Rachel Tyler Megan Brandon Diana "
    "Victor Natalie Peter Alice Oscar Julia Martin Helen Frank Chloe Ahmed Fatima Wei Carlos Ingrid "
)
_EN_SURNAMES: Final = _words(
    "Smith Johnson Brown Garcia Miller Davis Wilson Anderson Thomas Moore Jackson Martin Thompson "
    "White Lopez Clark Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores "
    "Adams Nelson Baker Campbell Mitchell Roberts Turner Phillips Evans Parker Edwards Collins "
    "Stewart Morris Murphy Cook Rogers Novak Kaminski Ferrari "
)
_REGIONS: Final = ("110105", "310101", "440304", "510107", "330106", "320102", "420106", "610113")
_ZH_PLACES: Final = (
    "北京市朝阳区",
    "上海市徐汇区",
    "广东省深圳市福田区",
    "浙江省宁波市鄞州区",
    "四川省绵阳市涪城区",
    "湖南省长沙市岳麓区",
    "天津市和平区",
    "江西省南昌市东湖区",
    "",
)
_ZH_ROADS: Final = (
    "建国路",
    "南京西路",
    "解放大道",
    "人民路",
    "学院街",
    "长江北路",
    "迎宾大道",
    "青年街",
    "和平巷",
)
_ZH_UNITS: Final = ("", "3栋502室", "2单元1104", "12楼", "B座801室", "5幢")
_EN_ROADS: Final = (
    "Maple Street",
    "Oak Avenue",
    "Washington Blvd",
    "Church Road",
    "Park Lane",
    "Sunset Drive",
    "W 42nd St",
    "Cedar Ct",
    "Mill Way",
    "North Main Street",
)
_EN_TOWNS: Final = (
    ", Portland, OR 97205",
    ", Austin, TX 78701",
    ", Boston, MA 02108",
    "",
    ", Manchester M1 4BT",
    ", Denver, CO",
)


def luhn_digit(body: str) -> str:
    """The digit that makes ``body`` pass the Luhn check."""
    total = 0
    for place, char in enumerate(reversed(body)):
        number = int(char) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return str(-total % 10)


def _digits(random: Random, count: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(count))


def _card(random: Random) -> str:
    prefix, length = random.choice(
        (("4", 16), ("51", 16), ("621", 19), ("6222", 19), ("37", 15), ("62", 16), ("6011", 16))
    )
    body = prefix + _digits(random, length - 1 - len(prefix))
    number = body + luhn_digit(body)
    if length == 15:
        return random.choice((number, f"{number[:4]} {number[4:10]} {number[10:]}"))
    grouped = [number[at : at + 4] for at in range(0, length, 4)]
    return random.choice((number, " ".join(grouped), "-".join(grouped)))


def _resident_id(random: Random) -> str:
    body = (
        random.choice(_REGIONS)
        + f"{random.randint(1940, 2012)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    )
    body += f"{random.randint(1, 999):03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def _ssn(random: Random) -> str:
    area = random.choice([number for number in range(1, 900) if number != 666])
    return f"{area:03}-{random.randint(1, 99):02}-{random.randint(1, 9999):04}"


def _iban(random: Random) -> str:
    country, body = random.choice(
        (("DE", _digits(random, 18)), ("GB", "NWBK" + _digits(random, 14)), ("FR", _digits(random, 23)))
    )
    number = "".join(str(int(char, 36)) for char in body + country + "00")
    iban = f"{country}{98 - int(number) % 97:02}{body}"
    return random.choice((iban, " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))))


def _mobile(random: Random) -> str:
    number = random.choice(("138", "139", "150", "158", "176", "186", "199", "133", "177", "189")) + _digits(
        random, 8
    )
    parts = (number[:3], number[3:7], number[7:])
    return random.choice(
        (number, number, "-".join(parts), " ".join(parts), "+86 " + number, "+86-" + "-".join(parts))
    )


def _landline(random: Random) -> str:
    area, length = random.choice((("010", 8), ("021", 8), ("0755", 8), ("0731", 8), ("0816", 7)))
    body = random.choice("2345678") + _digits(random, length - 1)
    return random.choice((f"{area}-{body}", f"({area}){body}", f"{area} {body}"))


def _hotline(random: Random) -> str:
    body = random.choice("1678") + _digits(random, 6)
    return random.choice((f"400-{body[:3]}-{body[3:]}", f"400{body}", f"400 {body[:3]} {body[3:]}"))


def _phone(random: Random) -> str:
    area = random.choice(("212", "415", "206", "312", "617", "713", "305", "404"))
    exchange, line = str(random.randint(220, 554)), _digits(random, 4)
    if exchange.endswith("11"):
        exchange = "234"
    forms = ("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1 {} {} {}", "1-{}-{}-{}", "+1 ({}) {}-{}")
    return random.choice(forms).format(area, exchange, line)


def _international(random: Random) -> str:
    tail = _digits(random, 6)
    return random.choice(
        (
            f"+44 7400 {tail}",
            f"+49 30 23{tail}",
            f"+33 6 12 {tail[:2]} {tail[2:4]} {tail[4:]}",
            f"+91 98100 {tail[:5]}",
        )
    )


def _email(random: Random) -> str:
    user = random.choice(("liu.wei", "annab", "t_morgan", "zhangsan88", "k.lopez+shop", "office-01", "x"))
    host = random.choice(("qq.com", "gmail.com", "mail.uni-koeln.de", "foo-bar.co.uk", "163.com"))
    return f"{user}{random.randint(1, 999)}@{host}"


def _zh_person(random: Random) -> str:
    surname = random.choice([*_ZH_SURNAMES[:-4], "欧阳", "诸葛"])
    return surname + random.choice(_ZH_GIVEN)


def _zh_address(random: Random) -> str:
    return f"{random.choice(_ZH_PLACES)}{random.choice(_ZH_ROADS)}{random.randint(1, 999)}号{random.choice(_ZH_UNITS)}"


def _en_person(random: Random) -> str:
    middle = random.choice(("", "", "", f" {random.choice('ABCDEJKLM')}."))
    return f"{random.choice(_EN_GIVEN)}{middle} {random.choice(_EN_SURNAMES)}"


def _en_address(random: Random) -> str:
    unit = random.choice(("", "", ", Apt 4B", ", Suite 300"))
    return f"{random.randint(1, 9999)} {random.choice(_EN_ROADS)}{unit}{random.choice(_EN_TOWNS)}"


def _ip(random: Random) -> str:
    first = random.choice((23, 45, 61, 88, 119, 185, 202, 220))
    return f"{first}.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


def _secret(random: Random) -> str:
    word = random.choice(("Blue", "sunny", "Hello", "qwer", "Tiger"))
    return f"{word}{random.choice('!@#_')}{random.randint(10, 99999)}"


def _date(random: Random) -> str:
    year, month, day = random.randint(1990, 2026), random.randint(1, 12), random.randint(1, 28)
    return random.choice(
        (
            f"{year}-{month:02}-{day:02}",
            f"{year}/{month}/{day}",
            f"{year}{month:02}{day:02}",
            f"{day:02}.{month:02}.{year}",
        )
    )


def _version(random: Random) -> str:
    return ".".join(str(random.randint(0, 30)) for _ in range(4))


def _serial(random: Random) -> str:
    return "-".join("".join(random.choice("ABCDEFGHJKLMNP23456789") for _ in range(4)) for _ in range(3))


def _isbn(random: Random) -> str:
    body = random.choice(("9787", "9780")) + _digits(random, 8)
    total = sum(int(char) * (3 if place % 2 else 1) for place, char in enumerate(body))
    return body + str(-total % 10)


def _apikey(random: Random) -> str:
    letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "sk-" + "".join(random.choice(letters) for _ in range(32))


VALUES: Final[dict[str, tuple[str, Callable[[Random], str]]]] = {
    "mobile": ("phone", _mobile),
    "landline": ("phone", _landline),
    "hotline": ("phone", _hotline),
    "phone": ("phone", _phone),
    "intphone": ("phone", _international),
    "email": ("email", _email),
    "id": ("id", _resident_id),
    "ssn": ("id", _ssn),
    "card": ("card", _card),
    "iban": ("iban", _iban),
    "ip": ("ip", _ip),
    "passport": ("passport", lambda random: random.choice("EGX") + _digits(random, 8)),
    "secret": ("secret", _secret),
    "apikey": ("secret", _apikey),
    "zh_person": ("name", _zh_person),
    "zh_surname": ("name", lambda random: random.choice(_ZH_SURNAMES[:60])),
    "zh_address": ("address", _zh_address),
    "en_person": ("name", _en_person),
    "en_given": ("name", lambda random: random.choice(_EN_GIVEN)),
    "en_surname": ("name", lambda random: random.choice(_EN_SURNAMES)),
    "en_address": ("address", _en_address),
}
LOOK_ALIKES: Final[dict[str, Callable[[Random], str]]] = {
    "order": lambda random: _digits(random, random.choice((10, 12, 16, 18))),
    "date": _date,
    "tracking": lambda random: (
        random.choice(("SF", "YT", "1Z", "")) + _digits(random, random.choice((12, 13, 14)))
    ),
    "price": lambda random: random.choice(
        (
            f"{random.randint(1, 99999)}.{random.randint(0, 99):02}",
            f"{random.randint(1, 999)},{random.randint(0, 999):03}",
        )
    ),
    "version": _version,
    "isbn": _isbn,
    "timestamp": lambda random: (
        str(random.randint(1_500_000_000, 1_800_000_000)) + random.choice(("", "123"))
    ),
    "count": lambda random: str(random.randint(2, 2_000_000)),
    "serial": _serial,
    "invoice": lambda random: random.choice(("INV-", "F", "")) + _digits(random, random.choice((8, 10, 12))),
}
