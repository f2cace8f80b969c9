"""What the installer says, in English and Chinese; gettext's catalogues come only with the program."""

from __future__ import annotations

import locale
import os
from typing import Final

LANGUAGE_VARIABLE: Final = "STUDIO_LANGUAGE"

CHINESE: Final[dict[str, str]] = {
    # steps
    "Python and its private environment (.venv)": "Python 及其独立环境（.venv）",
    "PyTorch": "PyTorch",
    "Program libraries": "程序依赖库",
    "Test tools": "测试工具",
    "The studio itself": "工作室本体",
    "Check that the libraries fit together": "检查依赖库是否匹配",
    "System libraries for the window": "窗口所需的系统库",
    "Base model: download": "基础模型：下载",
    "Base model: convert": "基础模型：转换",
    "Text encoder": "文本编码器",
    # progress
    "done in {seconds} s": "完成，用时 {seconds} 秒",
    "already done": "此前已完成",
    "{percent}% of {size} MB": "{size} MB 已完成 {percent}%",
    "Everything is in place ({seconds} s).": "一切就绪（{seconds} 秒）。",
    "Set-up finished in {seconds} s.": "安装完成，用时 {seconds} 秒。",
    "Start the studio with: {command}": "启动工作室：{command}",
    "Stopped. What is finished is kept; run the same command again to go on.": (
        "已停止。已完成的部分会保留；再次运行同一命令即可继续。"
    ),
    "Note: {text}": "提示：{text}",
    "The results will be in {folder}": "结果将保存在 {folder}",
    # failures
    "The step “{step}” failed.": "步骤“{step}”失败。",
    "Cause: {cause}": "原因：{cause}",
    "What to do: {hint}": "处理办法：{hint}",
    "Full record: {path}": "完整记录：{path}",
    "{tool} ended with code {code}.": "{tool} 退出，代码为 {code}。",
    "{tool} was not found on this computer.": "这台电脑上没有找到 {tool}。",
    "Only {free} GB are free in {folder}; {needed} GB are needed.": (
        "{folder} 只剩 {free} GB 可用空间，需要 {needed} GB。"
    ),
    "Free some space, or move the studio to a larger disk, then run this command again.": (
        "请腾出一些空间，或把工作室移到更大的磁盘，然后重新运行本命令。"
    ),
    "Another set-up of this copy is running.": "这份程序的另一个安装过程正在进行。",
    "Wait until it has finished, then run this command again.": "请等它结束后再运行本命令。",
    "This Python cannot make private environments (ensurepip is missing).": (
        "当前 Python 无法创建独立环境（缺少 ensurepip）。"
    ),
    "Run this command, then start again: {command}": "请先运行以下命令，然后重新开始：{command}",
    "Delete the folder {folder} and run this command again.": "请删除文件夹 {folder}，然后重新运行本命令。",
    "Check the internet connection and run this command again; finished parts are kept.": (
        "请检查网络连接后重新运行本命令；已完成的部分会保留。"
    ),
    "Missing: {names}.": "缺少：{names}。",
    "Use your system's package manager to install what provides them, then start again.": (
        "请用系统的软件包管理器安装提供它们的软件包，然后重新开始。"
    ),
    "The checksum of {name} is not the expected one; the file was removed.": (
        "{name} 的校验和不符，文件已删除。"
    ),
    "Run this command again; if it happens twice, do not trust the package source.": (
        "请重新运行本命令；若再次出现，说明该软件包来源不可信。"
    ),
    "The package {name} holds an unsafe entry: {entry}": "软件包 {name} 含有不安全的条目：{entry}",
    "The package {name} lacks {entry}.": "软件包 {name} 缺少 {entry}。",
    "{entry} in the package is larger than it may be.": "软件包中的 {entry} 超出了允许的大小。",
    "Do not use this package source; ask for help with the record below.": (
        "请勿使用这一软件包来源；可凭下方记录寻求帮助。"
    ),
    "The model folder {folder} is not complete after the conversion.": (
        "转换之后，模型文件夹 {folder} 仍不完整。"
    ),
    "Run this command again; if it happens twice, report the record below.": (
        "请重新运行本命令；若再次出现，请附上下方记录反馈。"
    ),
    # command line
    "Set up Product Matrix Studio and open it, test it, or only prepare it.": (
        "安装产品矩阵工作室，并打开、测试或仅做好准备。"
    ),
    "run: set up, then open the studio on its sample (without a display: run the demonstration); "
    "test: set up, then run every test; setup: only set up": (
        "run：安装后打开示例（没有显示器时运行演示）；test：安装后运行全部测试；setup：仅安装"
    ),
    "do without a window": "不使用窗口",
    "the folder that holds the work (default: the studio's own)": (
        "工作区文件夹（默认使用工作室自己的工作区）"
    ),
    "with setup: install the test tools too": "用于 setup：同时安装测试工具",
    "Everything else on the line is handed to the program that is started.": (
        "命令行中的其余内容会转交给所启动的程序。"
    ),
}


def speaks_chinese() -> bool:
    """Whether the user's locale is Chinese (Windows spells it out: ``Chinese (Simplified)_China``)."""
    for variable in (LANGUAGE_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"):
        if name := os.environ.get(variable):
            return name.lower().startswith("zh")
    return (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese"))


def _(message: str) -> str:
    """The message in the user's language; format it afterwards."""
    return CHINESE.get(message, message) if speaks_chinese() else message
