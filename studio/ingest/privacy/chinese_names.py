"""Chinese names of people: a surname of the list, and either words around it that announce a person or a given name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy.spans import Place, word_list

_HAN: Final = r"[\u4e00-\u9fa5]"
# Surnames that are everyday words as well: with a character after them they need a given name of the list.
_EVERYDAY: Final = frozenset(
    "和于时都从有关那全能常水成万向方安平高明白金马黄石经让终计单应解查何周温代钱宗费幸后来车连空"
    "文国正相左通广东步红益利项易双满居古法况须汝"
    "路冷师寿冉初便牧农巢沙养贝米花章云红岳伯商包游洪暴年别边司由印宿宫党"
)
# Of these, the ones that begin a name more often than a word when two characters of given names follow.
_OFTEN_NAMES: Final = frozenset("周何常高金马黄石方白江钱文葛云雷安万")
# No surname before a title: 这位先生, 那个女士, 有的老师.
_NO_SURNAME: Final = frozenset("和时都从有师司关那全能成万终计应解经让相后来须况便")
# 对于先生…: what makes 于 a preposition.
_BEFORE_YU: Final = frozenset("对关由至属等基鉴位便在处善终敢用出归限源忠利")
# Characters that are a given name by themselves in very many names.
_GIVEN_SINGLE: Final = frozenset(
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛超霞刚桂英兰玲燕鹏辉飞波斌丹萍莉鑫浩凯健俊婷雪琳洁倩颖梅琴峰亮"
    "岩坤瑞博睿欣怡成云雨宁宏彬凡晨曦霖航"
)
# A given name alone where somebody must stand (和…沟通): more characters, after surnames that are no everyday words.
_GIVEN_MET: Final = _GIVEN_SINGLE.union("宇平华明帆帅雷东旭龙林阳红玉莹慧瑜畅楠琴欢璐晶桂凤利建柳杨岚嘉")
_SINGLE_TOO: Final = frozenset("周马何黄葛钱江")  # of the everyday ones
# Characters frequent in given names; two of them after a surname, between bounds, are taken for a name.
_GIVEN_CLASS: Final = (
    "[伟芳娜敏静丽强磊军洋勇艳杰娟涛超霞刚桂英兰玲燕鹏辉飞波斌丹萍莉鑫浩凯健俊婷雪琳洁倩颖梅琴峰"
    "亮岩坤瑞博睿欣怡志建国华文明秀玉淑凤春红海"
    "永德荣福金宝贵祥龙虎庆宏振兴世家嘉佳子梓雨宇轩涵萱泽晨曦思诗梦若晓慧雅美珍珠翠巧素月彩霖霏菲"
    "薇蓉莲菊香芝蕾蓓媛嫣妍婧娅婉娇姗姝彤彬栋楠桐榕"
    "松柏林森沐洲润淳清源渊鸿鹤麟骏驰骁翔翰羽誉成忠孝仁义礼智信诚毅恒达远航帆凡凝瑶琪琦珊瑜瑾璇璐"
    "玥莹晶昊昕旭昌晖景皓朗然煜炜烨焕煊炫灿奕弈逸艺"
    "卓卿尧尚峻岚巍廷延弘彦徽懿政敬斐旻晟朔树根柱梁楷歌苓毓水泉洪济瀚熙焱爱献玮珂琛琼琳璋甜盈真祺"
    "禄禾稼竹筠纯纲绍维绮维翎耀聪胜腾芬芸苑茂茜荷莎萌蕊薪蝶裕诺谦贤贞赫超"
    "跃辰道锋钧铭锐锦镇长青靖韬韵颂风馨骥鸣启小微赐运宁川山岳阳雷东方正中越晗晔翊琬琰蔓茉莺鹃鸾凰"
    "绣绫钊铄铮铠锟鼎嵘嵩岱岭峥崇洛汉江河沛泓涓溪滢潇澜澄灵炎炳焰熠燊猛琮瑄璟皎盼睦硕祎祚禧秋秦穆"
    "笑筱紫缘群翱胤臻茵荃菁葵蒙蔚虹谊谨豪轶迅逍逢遐邦野钰阔雁雄雯霁霆露顺颜飒馥骄骞魁鲲鸥黎黛先守"
    "传继绪宪宗宽定尔才若凌千百万生民全安平利乐连六七九"
    "良厚泰冠策惠娥云娣璧姣娴婵纨君婕瑗咏悦昭茗希霭欢霄枫姬舒荔柳杨畅友功善哲亨彪震壮伦星康坚武花柔眉帅]"
)
# What a name may follow at once, besides a bound: 写的段誉成, 转给龚琳娜, 小哥侯军.
_BEFORE_NAME: Final = (
    "的给叫是人员者哥姐爸妈妹弟女友主妻夫由找被跟帮替陪和是请向让对系长练表师手生客户东为问认识位名级"
)
_TITLES: Final = (
    r"先生|女士|小姐|太太|夫人|经理|老师|医生|大夫|主任|教授|律师|师傅|工程师|同学|阿姨|叔叔|警官|"
    r"护士|博士|院长|校长|局长|处长|科长|厂长"
    r"|部长|组长|队长|班长|董事长|董事|会计|店长|老板|总监|法官|书记|秘书|老人|大爷|大妈|奶奶|爷爷"
    r"|大姐|大哥|同志|某某"
    r"|总(?=$|[^\u4e00-\u9fa5]|[您好，的说让请在来和要已])|(?<![施员职手人加开动民分竣返打木电技化"
    r"军神务])工(?=$|[，。：、！,!: ]|您)"
)
_LABELS: Final = (
    r"姓名|名字|真名|本名|大名|本人姓名|收件人|收货人|寄件人|发件人|发货人|投诉人|举报人|报名者|参"
    r"赛者|跟单员|来访人|到访人|访客|被访人|联系人|申请人|经办人|负责人|持卡人|开户人|开户名|户名|"
    r"账户名|收款人|付款人|投保人"
    r"|被保险人|受益人|患者|病人|学生|学员|家长|监护人|法定代表人|法人代表|法人|委托人|受托人|签名"
    r"|签字|签收人|署名|顾客|报案人|证人|当事人|原告|被告"
    r"|甲方|乙方|丙方|房东|租客|租户|业主|员工|职工|店长|站长|主播|作者|司机|住户|会员|旅客|乘客|"
    r"乘机人|入住人|预订人|订票人|取件人|代办人|担保人|借款人"
    r"|推荐人|介绍人|汇款人|收信人|主治医师|班主任|辅导员|同事|朋友|老公|老婆|丈夫|妻子|爱人|对象|"
    r"闺女|我先生|我太太|男友|女友|男朋友|女朋友|孙子|孙女|外公|外婆|爷爷|奶奶|舅舅|姑姑|表弟|表妹"
    r"|堂弟|室友|同学|学弟|学妹|徒弟|保姆|护工|儿子|女儿|爸爸|妈妈|父亲|母亲|我爸|我妈|哥哥|姐姐|"
    r"弟弟|妹妹"
    r"|邻居|中介|销售|导购|顾问|护士|组员|队员|选手|歌手|演员|导演|记者|客户经理|业务员|物业的|客"
    r"户|用户|买家|卖家|抬头|称呼"
)
_SELF: Final = r"我叫做?|名叫|叫做"
_ACTS: Final = (
    r"通过|表示|要求|反馈|提交|来电|致电|打电话|申请|询问|预约|投诉|反映|签收|留言|称|说|告诉|下单"
    r"|购买|住在|家住|给我|是我|和我|跟我"
    r"|的(?:手机|电话|身份证|地址|订单|快递|包裹|账户|账号)"
    r"|[昨今前明]天|刚[才刚]|[早晚]上|[上中下]午|已经|打[过来]|来过|同意|答应|请假|负责"
)
# Somebody stands between these, whatever the name: 请联系…处理, 和…沟通, 感谢…的帮助.
_MEETS: Final = r"感谢|谢谢|多谢|联系|交给|转[交给]|请问|咨询|麻烦|拜托|通知|告诉|[和跟与同找问叫由给请帮替]"
_MET: Final = (
    r"的(?:帮助|支持|耐心|回复|服务|电话)|处理|沟通|联系|确认|商量|协商|对接|核实|跟进|负责|办理|帮忙"
    r"|[说谈讲]过|在吗|在不在|[改换查退补开寄送取]"
)
_SIGNED: Final = r"此致|敬礼|敬上|商祺|谢谢|祝好|致敬|敬启|——|--"
_NOT_NAMES: Final = re.compile(
    r"^(?:周[年围期到边游岁转全折旋刊而密]|梅花|黄花|白云|金星|江南|高大|满意|高度|评价|经理|服务|和手机|和电话|电话|手机|方便|方面|方式|常用|常见|安全|安装|单位"
    r"|关系|关于|有关|万一|明细|明确|高级|应该|应当|时间|成功|水平"
    r"|平均|平台|于是|从未|从来|都是|能否|能不能|如何|何时|何况|何必|那|全部|全体|容易|温馨|通过|"
    r"通知|计划|项目|解决|查询|查看|经常|经过|文件|文化|明天|白天"
    r"|周[末一二三四五六日]|今年|左右|路上|车上|车辆|连续|连接|牧场|包括|包含|包装|包裹|贝壳|花了|"
    r"花费|商家|商品|商城|须知|相关|相信|时候|终于|应付|应收|空白|空缺"
    r"|左边|右边|张家|万元|黄金|白色|黑色|金额|金牌|石头|江苏|江西|马上|马路|毛病|高兴|高[一二三]|"
    r"高中|方案|红色|费用|费率|双方|权限|权益|宁可|宁愿|幸好|公司"
    r"|代[表为理替办]|任何|任意|华为|国[家内外庆]|东西|广[告东]|荣誉|常年|安排|支付|支持|别人|别的"
    r"|乐意|顾虑|尚未|暂|谈话|强烈|强行|祝您|祝福|许多|许可|乔迁|年|毕业"
    r"|阳光|屈服|计算|沙发|盛大|庄园|柴油|全名|全称|信息|印章|印象|景点|充值|燕麦|简单|简历|步骤|"
    r"查|后|来电|留言|终身|法院|法律|古代|洪水|车主|车牌|居住|师傅|师生"
    r"|水果|游客|单号|单据|编号|冷静|桂林|池|温度|明白|国籍|利益|利息|越来|隆重|空间|况且|让|需|农"
    r"村|农民|养|初次|习惯|宿舍|向|成员|成年|应聘|于|牛|羊|鹿|通常|通讯"
    r"|步行|党员|暴雨|时尚|时代|喜欢|元旦|元宵|成都|钱包|石油|武器|武汉|温州|常州|苏州|徐州|宁波|"
    r"安徽|海南|云南|贺卡|贺岁|颜色|舒服|舒适|钟头|项|雷达|宣传|应急|应用"
    r"|雷雨|谷雨|乌云|祥云|党员|养成|管理|管家|容量|牧|沙漠|别墅|相机|红包|游戏|游泳|司机|印刷|景"
    r"色|景区|农药|商务|商店|从前|经济|经营|房[子间租产]|解释|席位|麻烦|强大|危险|童装|童鞋|梅雨|"
    r"林业)"
)
_PARTICLES: Final = frozenset("的了吗呢吧啊不没个这那什么怎是在有")
_VERBS_AFTER: Final = frozenset(
    "的是在要说来已于因和与称请向现给为到买下收签反投求将会就有先女，想去打从问上把被申电手住男你"
    "您我也都还提联确表"
)


@cache
def surname_pattern() -> str:
    """One surname, in the syntax of both regex engines."""
    surnames = sorted(word_list("surnames_zh"))
    pairs = "|".join(name for name in surnames if len(name) == 2)
    return f"(?:{pairs}|[{''.join(name for name in surnames if len(name) == 1)}])"


@cache
def suspect_pattern() -> str:
    """What every text with a Chinese name matches, in the syntax of polars."""
    one = surname_pattern()
    given = "|".join(sorted(word_list("given_names_zh")))
    return (
        rf"{one}\p{{Han}}{{0,2}}(?:先生|女士|小姐|太太|夫人|[经老医师主教律工同阿叔警护博院校局处科厂部"
        rf"组队班董会店法书秘大奶爷某总])"
        rf"|(?:{_LABELS}|{_SELF}|我是|本人|这里是.{{0,10}}的)(?:信息|姓名)?[是为"
        rf"叫:：（(\s　]{{0,3}}{one}|[人员者][:：]\s?{one}|姓{one}|{one}(?:{given})"
        rf"|{one}\p{{Han}}{{1,2}}(?:{_ACTS}|[ 　，,:：（(\t]{{0,2}}(?:[+＋]?[8８][6６]|[1１]|手机|电话|收))"
        rf"|{one}{_GIVEN_CLASS}{{1,2}}(?:$|\P{{Han}}|{_ACTS}|{_MET}|[的在要说已请将表把被负来到打退买下签先女寄领代过"
        rf"了没还也都不查确你您为好办认约])|[{_BEFORE_NAME}]{one}{_GIVEN_CLASS}{{1,2}}"
        rf"|(?:{_SIGNED})[！!。]?\s{{0,8}}{one}"
    )


@cache
def _compiled(key: str) -> re.Pattern[str]:
    """The patterns by what they look for; made once, for they hold the whole list of surnames."""
    one = surname_pattern()
    name = rf"(?P<name>{one}{_HAN}{{1,2}})"
    return re.compile(
        {
            "titles": _TITLES,
            "labelled": (
                rf"(?:(?:{_LABELS}|{_SELF})(?:信息|姓名)?(?P<link>[:：] ?|\s|[（(]?[是为叫]?)"
                rf"|[人员者](?P<colon>[:：] ?))\s?{name}"
            ),
            "self": (
                rf"(?:^|[，。！？,!?：: \n]|您好|你好)(?:我是|这里是.{{0,10}}的|本人){name}(?=$"
                rf"|[，。！？,!?：:、 \n（(])"
            ),
            "surname": rf"(?:我|免贵|他|她|本人)(?:贵)?姓(?P<name>{one})(?=$|[，。！？,!；; 名的])",
            "three": rf"(?=(?P<name>{one}{_HAN}{{2}}))",
            "bounded": (
                rf"(?:^|[^\u4e00-\u9fa5]|[{_BEFORE_NAME}])(?P<name>{one}{_GIVEN_CLASS}{{1,2}})(?=$"
                rf"|[^\u4e00-\u9fa5]|[的在要说已请将表把被负来到打退买下签先女寄领代过了没还也都不查确你您为好"
                rf"办认约])"
            ),
            "between": rf"(?:{_MEETS})(?P<name>{one}{_GIVEN_CLASS}{{1,2}}?)(?=$|[^\u4e00-\u9fa5]|{_MET})",
            "signed": rf"(?:{_SIGNED})[！!。]?\s{{0,8}}{name}\s{{0,3}}(?=\n|$|[0-9])",
            "numbered": (
                rf"(?:^|[，。,：: \n、到给寄（(]){name}(?=[ ，,：:（(\t]{{0,2}}(?:\+?86[ -]?)?(?:1[3-9][0-9]|手"
                rf"机|电话|收(?:$|[，。,])))"
            ),
            "acting": rf"(?:^|[，。：:；\n 、]){name}(?={_ACTS})",
        }[key]
    )


def find_chinese_names(text: str) -> Iterator[Place]:
    """Names of people in Chinese text; the title beside a name is no part of it."""
    for match in _compiled("titles").finditer(text):
        yield from _before_title(text, match.start())
    for match in _compiled("labelled").finditer(text):
        yield from _labelled(text, match)
    for key in ("self", "signed", "numbered"):
        for match in _compiled(key).finditer(text):
            if not _is_ordinary(match["name"]):
                yield _place(match)
    for match in _compiled("surname").finditer(text):
        yield _place(match)
    for match in _compiled("acting").finditer(text):
        if _is_given(match["name"][1:]) or match["name"][-1] in _GIVEN_SINGLE or _may_be_met(match["name"]):
            yield _place(match)
    for match in _compiled("between").finditer(text):
        if _may_be_met(match["name"]):
            yield _place(match)
    for match in _compiled("bounded").finditer(text):
        if _stands_alone(match["name"]):
            yield _place(match)
    for match in _compiled("three").finditer(text):
        if match["name"][-2:] in word_list("given_names_zh"):
            yield _place(match)


def _place(match: re.Match[str]) -> Place:
    return Place(match.start("name"), match.end("name"), PrivateKind.PERSON_NAME)


def _is_pair(given: str) -> bool:
    return len(given) == 2 and all(char in _GIVEN_CLASS for char in given)


def _is_given(name: str) -> bool:
    return _is_pair(name) or name in word_list("given_names_zh") or name in _GIVEN_SINGLE


def _may_be_met(name: str) -> bool:
    """Whether what stands where a person would is a name, by its characters."""
    if _is_ordinary(name) or name[0] == name[1]:
        return False
    everyday = name[0] in _EVERYDAY
    if len(name) == 3:
        return _is_pair(name[1:]) and (not everyday or name[0] in _OFTEN_NAMES)
    return name[1] in _GIVEN_MET and (not everyday or name[0] in _SINGLE_TOO)


def _stands_alone(name: str) -> bool:
    """Whether characters between two bounds are a name by themselves: no everyday surname, no everyday given name."""
    given = name[2:] if name[:2] in word_list("surnames_zh") else name[1:]
    doubled = len(given) == 2 and given[0] == given[1]
    if (
        (name[0] in _EVERYDAY and not (doubled or name[0] in _OFTEN_NAMES))
        or _NOT_NAMES.match(name)
        or not given
    ):
        return False
    return len(given) == 2 or (given in _GIVEN_SINGLE and name[0] not in _EVERYDAY)


def _is_ordinary(name: str) -> bool:
    return bool(_NOT_NAMES.match(name)) or not _PARTICLES.isdisjoint(name[1:])


def _before_title(text: str, end: int) -> Iterator[Place]:
    """The longest name that ends where a title begins: 王建国先生, 欧阳先生, 王先生."""
    for length in (4, 3, 2, 1):
        piece = text[max(0, end - length) : end]
        if len(piece) == length and _names_somebody(piece):
            if not (piece == "于" and text[max(0, end - 2) : end - 1] in _BEFORE_YU):
                yield Place(end - length, end, PrivateKind.PERSON_NAME)
            return


def _names_somebody(piece: str) -> bool:
    """Whether a piece before a title is a surname with or without a given name."""
    surnames = word_list("surnames_zh")
    if piece in surnames:
        return piece not in _NO_SURNAME
    if not all("\u4e00" <= char <= "\u9fa5" for char in piece):
        return False
    if _is_ordinary(piece) and not (piece[0] in surnames and piece[1:2] in _GIVEN_SINGLE and len(piece) == 2):
        return False  # 满意先生, but 查俊先生
    if piece[:2] in surnames and len(piece) > 2:
        return True
    if piece[0] not in surnames or len(piece) > 3:
        return False
    return (
        piece[0] not in _EVERYDAY or _is_given(piece[1:]) or (len(piece) == 3 and piece[-1] not in surnames)
    )


def _labelled(text: str, match: re.Match[str]) -> Iterator[Place]:
    """A name after a word such as 收件人; its third character is left out when it belongs to the sentence."""
    name, start = match["name"], match.start("name")
    if _is_ordinary(name[:2]) and name[1] not in _GIVEN_SINGLE:
        return
    after = text[start + len(name) : start + len(name) + 1]
    in_sentence = "\u4e00" <= after <= "\u9fa5"
    may_end_early = len(name) == 3 and name[:2] not in word_list("surnames_zh") and not _is_given(name[1:])
    if may_end_early and (name[2] in _PARTICLES or (in_sentence and name[2] in _VERBS_AFTER)):
        name = name[:2]
    link = match["link"] or match["colon"] or ""
    loose = link.strip() not in (":", "：") and link == link.strip()
    if loose and name[0] in _EVERYDAY and not _is_given(name[1:]):
        return
    if _PARTICLES.isdisjoint(name[1:]):
        yield Place(start, start + len(name), PrivateKind.PERSON_NAME)
