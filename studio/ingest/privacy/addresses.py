"""Postal addresses by their structure: number, street and kind of street; or the Chinese 省市区路号."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy.spans import Place, before

# ---- English ----
_TYPE: Final = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter"
    r"|Parkway|Pkwy|Highway|Hwy|Way|Circle|Cir|Close|Crescent|Cres|Grove|Gardens|Gdns|Mews|Row"
    r"|Hill|Walk|Trail|Alley"
    r"|Broadway|Plaza|Quay|Wharf|Rise|Green|Park|View|Loop|Turnpike|Expressway|Gate|Vale|Path|Pike|Cove)"
)
_NUMBER: Final = r"(?<![0-9A-Za-z.,#$£€/-])[0-9]{1,5}[A-Za-z]?(?:-[0-9]{1,5})?"
_NAME: Final = r"(?:[A-Z][A-Za-z'.]{0,20}|[0-9]{1,3}(?:st|nd|rd|th))"
_UNIT: Final = r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Room|Rm|Flat|#)\.? ?#?[0-9A-Za-z-]{1,6})"
_POSTCODE: Final = (
    r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])"
)
_TOWN: Final = r"(?:[A-Z][A-Za-z'.-]{1,20}(?: [A-Z][A-Za-z'.-]{1,20}){0,2})"
_TAIL: Final = (
    rf"(?: (?:NW|NE|SW|SE|N|S|E|W)\b\.?)?{_UNIT}?"
    rf"(?:(?:, ?| ){_TOWN}(?:,? [A-Z]{{2}}\b)?,? {_POSTCODE}\b"
    rf"|, {_TOWN}(?:, ?[A-Z]{{2}}\b)?(?:,? {_POSTCODE}\b)?|,? {_POSTCODE}\b)?"
    rf"(?:, (?:USA|UK|United Kingdom|Canada|Australia|Ireland)\b)?"
)
_FLAT: Final = r"(?:(?:Flat|Apt|Apartment|Unit|Suite) ?[0-9A-Za-z]{1,5},? ?)?"
_STREET: Final = re.compile(
    rf"{_FLAT}{_NUMBER} (?P<name>(?:{_NAME} ){{1,4}}?)(?P<type>{_TYPE})\b(?:\.(?! [A-Z][a-z]))?{_TAIL}"
)
# Whatever the street is called: a state of the USA and a ZIP code at the end leave no doubt.
_STATE: Final = (
    r"(?:A[AEKLPRSZ]|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]"
    r"|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY])"
)
_ANY_STREET: Final = re.compile(
    rf"{_FLAT}{_NUMBER} (?P<name>(?:{_NAME} ){{0,4}}{_NAME}){_UNIT}?"
    rf", ?{_TOWN},? {_STATE},? [0-9]{{5}}(?:-[0-9]{{4}})?\b"
)
# Posts of the armed forces: PSC 1234, Box 5678, APO AE 09012.
_MILITARY: Final = re.compile(
    rf"(?:PSC [0-9]{{1,5}}|Unit [0-9]{{1,5}}|US(?:S|NS|NV|CGC) {_NAME}(?: {_NAME})?)(?:,? Box [0-9]{{1,5}})?,?"
    rf" [ADF]PO,? A[AEP],? [0-9]{{5}}\b"
)
_BARE_BROADWAY: Final = re.compile(rf"{_NUMBER} Broadway\b{_TAIL}")
_PO_BOX: Final = re.compile(rf"(?i:\bP\.? ?O\.? ?Box) [0-9]{{1,7}}\b{_TAIL}")
_CONTEXT: Final = (
    r"(?:addresse?s?(?: is| to| was|:)*|live at|lives at|living at|(?:ship|shipped|deliver"
    r"|delivered|send|sent|mail|post|move|moved)"
    r"(?: it| this| that| them| everything| order)?(?: to| at)|located at|based at)"
)
# One of these is in every text that _LOWER matches.
ADDRESS_WORDS: Final = (
    "address",
    " live at",
    "lives at",
    "living at",
    " to: ",
    "ship to",
    "shipped to",
    "it to",
    "this to",
    "that to",
    "them to",
    "everything to",
    "order to",
    "deliver to",
    "delivered to",
    "send to",
    "sent to",
    "mail to",
    "post to",
    "moved to",
    "move to",
    "deliver at",
    "delivered at",
    "located at",
    "based at",
)
_LOWER: Final = re.compile(
    rf"(?i){_CONTEXT}[: ]{{1,3}}(?P<address>[0-9]{{1,5}}[a-z]? (?:[a-z'.]{{1,20}} "
    rf"|[0-9]{{1,3}}(?:st|nd|rd|th) ){{1,3}}?{_TYPE}\b"
    rf"{_UNIT}?(?:,? [a-z]{{2,20}}(?: [a-z]{{2,20}})?,? {_POSTCODE}\b|,? {_POSTCODE}\b)?)"
)
_NOT_STREETS: Final = frozenset(
    [
        "Star",
        "Hour",
        "Hours",
        "Day",
        "Days",
        "Year",
        "Years",
        "Question",
        "Questions",
        "Percent",
        "Mile",
        "Miles",
        "Minute",
        "Minutes",
        "Week",
        "Weeks",
        "Month",
        "Months",
        "Best",
        "Top",
        "Great",
        "New",
        "Free",
        "Easy",
        "Simple",
        "More",
        "Other",
        "Item",
        "Items",
        "Piece",
        "Pieces",
        "Pack",
        "Inch",
        "Player",
        "Players",
        "Man",
        "Men",
    ]
)
_CONTEXT_BEFORE: Final = re.compile(rf"(?i){_CONTEXT}[: ]*$")

# ---- Chinese ----
_HAN: Final = r"[\u4e00-\u9fa5]"
_TAIL_ZH: Final = (
    r"(?:[0-9]{1,4}(?:号院|号楼|号|栋|幢|座|单元|楼|层|室|弄|户|院|房|期)(?:附[0-9]{1,3}号)?(?:楼)?"
    r"|[A-Za-z]?[0-9]{0,3}[A-Za-z]?(?:座|栋|幢|区|塔|馆)|[东南西北]?(?:塔|楼|座|区|门)"
    r"|(?:负|地下)?[一二三四五六七八九十]{1,3}(?:楼|层|期|单元|号楼|栋|区)|[\u4e00-\u9fa5]{1,6}?["
    r"一二三四五六]期"
    r"|[\u4e00-\u9fa5]{1,8}?(?:小区|花园|大厦|广场|公寓|家园|新村|苑|中心|大楼|商厦|酒店|大院|写字"
    r"楼|科技园|产业园|园区|国际|百货|商场|商城|学校|大学|中学|小学|医院|公司|公馆|华府|雅苑|名苑)"
    r"|[0-9]{1,3}-[0-9]{1,4}(?:-[0-9]{1,4})?|[ ]?[0-9]{3,4}(?![0-9.元]))"
)
_POSTCODE_ZH: Final = r"(?:[ ，,]{0,2}(?:邮编[:：]? ?)?[0-9]{6}(?![0-9A-Za-z元.]))?"
_ROAD_ZH: Final = re.compile(
    rf"{_HAN}{{1,24}}(?:路|街|道|巷|胡同|公路|弄堂)(?:[东南西北中]?[一二三四五六七八九十0-9]{{0,2}}[段里巷])?"
    rf" ?[甲乙丙丁]?[0-9]{{1,5}}(?:-[0-9]{{1,4}})?(?:号院|号楼|号|弄|號)(?:[0-9]{{1,4}}(?:号|弄|支"
    rf"弄))?(?!店|线|公交|地铁|文件|出口|车|机|选手|球员){_TAIL_ZH}{{0,6}}{_POSTCODE_ZH}"
)
_BLOCK_ZH: Final = re.compile(
    rf"{_HAN}{{2,28}}(?:路|街|道|巷|胡同)(?:[A-Za-z][0-9]{{0,3}}|[0-9]{{1,4}})[座栋幢]{_TAIL_ZH}{{0,4}}{_POSTCODE_ZH}"
)
_ESTATE_ZH: Final = re.compile(
    rf"{_HAN}{{2,24}}(?:小区|花园|苑|公寓|新村|家园|大厦|广场|村|里|庄园|公馆|府|湾|城|园|寓)(?:[一"
    rf"二三四五六七八九十]期)?"
    rf"(?:[0-9]{{1,3}}|[A-Z])(?:号楼|栋|幢|座|号)(?:{_TAIL_ZH}){{1,5}}"
)
_ROOM_ZH: Final = re.compile(rf"{_HAN}{{2,16}}[0-9]{{1,3}}(?:栋|幢|号楼)(?:[0-9]{{1,2}}单元)?[0-9]{{3,4}}室?")
_REGION_ZH: Final = re.compile(
    rf"{_HAN}{{2,16}}(?:县|区|市|镇|乡){_HAN}{{1,8}}(?:村|屯|庄){_HAN}{{0,6}}[0-9]{{1,4}}(?:号|"
    rf"组){_TAIL_ZH}{{0,4}}"
)
# What stands before an address and is no part of it; the last one in a run of characters ends it.
_LEADS_ZH: Final = re.compile(
    r"(?:地址|住址|收货地|寄往|寄到|寄去|寄给|送到|送至|送往|发到|发往|改成|改为|换成|换到|搬到|住"
    r"在|住到|家住|家在|位于|地点|坐落|来自|前往|到达"
    r"|约在|定在|就在|公司在|单位在|办公室在|人在|店在|是在|在|是|到|至|寄|送|去|住|为(?!民)|我|他"
    r"|她|您|你|给|和(?!平)|及|或|请|把|的|了|从|往|向(?!阳))"
)
_ADMIN_ZH: Final = re.compile(
    r"(?:北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖"
    r"南|广东|海南|四川|贵州|云南|陕西|甘肃"
    r"|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|广州|深圳|杭州|南京|成都|武汉|苏州|西安|长沙"
    r"|青岛|郑州|宁波|无锡|厦门|合肥|济南|大连|沈阳|福州"
    r"|哈尔滨|长春|石家庄|太原|南昌|昆明|贵阳|南宁|海口|兰州|西宁|银川|乌鲁木齐|呼和浩特|拉萨|东莞"
    r"|佛山|珠海|中山|惠州|温州|绍兴|嘉兴|常州|南通|徐州|扬州|烟台)"
)
_NOT_ROADS_ZH: Final = re.compile(
    r"(?:知道|频道|渠道|通道|味道|报道|管道|难道|跑道|隧道|轨道|街道|铁路|思路|网路|线路|电路|走路"
    r"|公交路|逛街|上街|[这那哪一每几]条[\u4e00-\u9fa5]?[路街道巷]"
    r"|[这那哪][路街巷])(?=[0-9 ])"
)
_MADE_UP_ZH: Final = "示例路"
_MADE_UP_EN: Final = "Example "


def find_addresses(text: str) -> Iterator[Place]:
    """Postal addresses in English form; each from its number to its last known part."""
    for match in _STREET.finditer(text):
        if _is_street(text, match):
            yield Place(match.start(), match.end(), PrivateKind.ADDRESS)
    for match in _ANY_STREET.finditer(text):
        if not match["name"].startswith(_MADE_UP_EN):
            yield Place(match.start(), match.end(), PrivateKind.ADDRESS)
    for pattern in (_PO_BOX, _BARE_BROADWAY, _MILITARY):
        for match in pattern.finditer(text):
            yield Place(match.start(), match.end(), PrivateKind.ADDRESS)
    for match in _LOWER.finditer(text):
        if "example " not in match["address"].lower():
            yield Place(match.start("address"), match.end("address"), PrivateKind.ADDRESS)


def _is_street(text: str, match: re.Match[str]) -> bool:
    """A capitalised word after the kind of street, without a comma, makes it part of a title, unless told otherwise."""
    name = match["name"]
    if name.startswith(_MADE_UP_EN) or not _NOT_STREETS.isdisjoint(name.split()):
        return False
    after = text[match.end() : match.end() + 24]
    more_follows = re.match(r" (?:of\b|[A-Z][a-z])", after) and match.end() == match.end("type")
    return not more_follows or bool(_CONTEXT_BEFORE.search(before(text, match.start(), 32)))


def find_chinese_addresses(text: str) -> Iterator[Place]:
    """Chinese postal addresses, from the largest region named to the room."""
    for pattern in (_ROAD_ZH, _BLOCK_ZH, _ESTATE_ZH, _ROOM_ZH, _REGION_ZH):
        for match in pattern.finditer(text):
            if _MADE_UP_ZH in match.group() or _NOT_ROADS_ZH.search(match.group()):
                continue
            start = match.start() + _start_of(match.group())
            if match.end() - start >= 5:
                yield Place(start, match.end(), PrivateKind.ADDRESS)


def _start_of(piece: str) -> int:
    """Where the address begins in a run of characters: at the first region named, or after the last leading word."""
    run = re.match(rf"{_HAN}*", piece)
    head = run.group() if run else ""
    region = _ADMIN_ZH.search(head)
    if region:
        return region.start()
    start = 0
    for match in _LEADS_ZH.finditer(head[: max(0, len(head) - 2)]):
        start = match.end()
    return start
