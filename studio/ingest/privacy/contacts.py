"""E-mail addresses, internet addresses of devices, and secrets: passwords, keys and tokens in plain sight."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy.spans import Place, before

# Endings that RFC 2606 sets aside, and what made_up.email writes. Not all of example.com: whoever tries the doctor out
# writes such addresses and expects to see them found.
_NOBODYS: Final = re.compile(r"(?i)[.](?:example|invalid|test)$|^user[0-9a-f]{8} ?@ ?example\.com$")
_USER: Final = r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9_][A-Za-z0-9._%+-]{0,63})"
_EMAIL: Final = re.compile(_USER + r" ?@ ?((?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24})(?![A-Za-z0-9])")
_AT: Final = r"(?: ?[\[({<] ?(?:at|AT|@) ?[\])}>] ?)"
_DOT: Final = r"(?:\.| ?[\[({<] ?(?:dot|DOT|\.) ?[\])}>] ?| (?:dot|DOT) )"
_HIDDEN: Final = re.compile(
    _USER + _AT + rf"((?:[A-Za-z0-9-]{{1,63}}{_DOT}){{1,4}}[A-Za-z]{{2,24}})(?![A-Za-z0-9])"
)
_SPOKEN: Final = re.compile(
    _USER
    + r" (?:at|AT) ((?:[A-Za-z0-9-]{1,63} (?:dot|DOT) ){1,3}(?:com|org|net|edu|co|io|cn|uk|de|COM|ORG|NET))\b"
)

_IPV4: Final = re.compile(r"(?<![0-9A-Za-z_.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z_]|\.[0-9])")
_IPV6: Final = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{2,39}(?![0-9A-Za-z:])")
_VERSION_WORDS: Final = re.compile(
    r"(?i)\bv$|version|\bver\b|firmware|build|release|section|chapter|update|windows|\bos\b|版本|"
    r"固件|版|驱动|更新|升级|章|节"
)
_IP_WORDS: Final = re.compile(r"(?i)\bips?\b|ip地址|address|login|logged|from|host|server|来自|登录|访问")

_NAMED_SECRET: Final = re.compile(
    r"(?i)(?P<word>pass ?word|passwd|pass ?code|pass ?phrase|\bpwd|\bpw\b|api[ _-]?key"
    r"|secret(?:[ _-]?key)?|access[ _-]?key|auth[ _-]?token"
    r"|access[ _-]?token|\btoken|密码|口令|密钥|令牌)[\"']?(?P<link> ?(?:[:=]|(?:设置|设|改|重置|"
    r"更新)?(?:是|为|成)[:]?) ?| (?:is|was) ?:? ?| |(?<=[码令钥牌]))[\"'`“]?"
    r"(?P<value>[!-~]{4,200})"
)
_KEY: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:sk-[A-Za-z0-9_-]{20,200}|gh[pousr]_[A-Za-z0-9]{30,200}"
    r"|github_pat_[A-Za-z0-9_]{30,200}"
    r"|(?:AKIA|ASIA|LTAI)[0-9A-Za-z]{12,24}|AIza[0-9A-Za-z_-]{35}|xox[abprs]-[A-Za-z0-9-]{10,200}"
    r"|hf_[A-Za-z0-9]{30,60}"
    r"|eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000})(?![A-Za-z0-9])"
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{1,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)


def find_emails(text: str) -> Iterator[Place]:
    """E-mail addresses, also with a spelt or bracketed “at” and “dot”."""
    for pattern in (_EMAIL, _HIDDEN, _SPOKEN):
        for match in pattern.finditer(text):
            if not _NOBODYS.search(match.group()):
                yield Place(match.start(), match.end(), PrivateKind.EMAIL)


def find_ips(text: str) -> Iterator[Place]:
    """Public internet addresses; versions and section numbers of the same form are told by their context and size."""
    for match in _IPV4.finditer(text):
        words = before(text, match.start(), 16)
        small = all(int(part) <= 31 for part in match.group().split("."))
        if _VERSION_WORDS.search(words) or (small and not _IP_WORDS.search(words)):
            continue
        if _is_public(match.group()):
            yield Place(match.start(), match.end(), PrivateKind.IP_ADDRESS)
    for match in _IPV6.finditer(text):
        if match.group().count(":") >= 2 and len(match.group()) > 6 and _is_public(match.group()):
            yield Place(match.start(), match.end(), PrivateKind.IP_ADDRESS)


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def find_secrets(text: str) -> Iterator[Place]:
    """Values after “password:” and the like, and keys whose form gives them away."""
    for match in _NAMED_SECRET.finditer(text):
        value = match["value"].rstrip(".,;:!?\"'`)")
        if not is_made_up_secret(value) and _is_secret(
            value, match["link"].strip().lower(), match["word"].lower()
        ):
            yield Place(match.start("value"), match.start("value") + len(value), PrivateKind.SECRET)
    for pattern in (_KEY, _PRIVATE_KEY):
        for match in pattern.finditer(text):
            yield Place(match.start(), match.end(), PrivateKind.SECRET)


def is_made_up_secret(value: str) -> bool:
    """Whether it is what masking or a pseudonym left."""
    return value.startswith(("example-", "[", "<", "{", "*", "$"))


def _is_secret(value: str, link: str, word: str) -> bool:
    """Letters alone are a word of the sentence (password is required); digits or signs among letters are not."""
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    signs = len(value) - digits - letters
    if "://" in value or len(value) < 4:
        return False
    if not link:  # "token ghp_…": nothing but a blank between
        enough = 6 if word in ("密码", "口令", "password", "passwd", "pwd") else 12
        return digits >= 2 and letters >= 1 and len(value) >= enough
    if link in (":", "="):
        return (
            bool(digits and (letters or signs))
            or digits >= 6
            or bool(letters and signs and not _is_prose(value))
        )
    return bool(digits and (letters or signs)) or digits >= 6


def _is_prose(value: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z]+(?:['/,.()_-][A-Za-z]*)*", value))
