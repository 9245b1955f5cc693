"""A document as a page to print: Chinese, A4, nothing loaded from anywhere; every character of it escaped."""

import base64
import hashlib
from html import escape

from registry.models import Document

STYLE = """
@page { size: A4; margin: 37mm 26mm 35mm 28mm; }
body { margin: 0 auto; max-width: 42em; padding: 2em 1.5em; color: #111; background: #fff;
  font: 16pt/1.75 "FangSong", "STFangsong", "FangSong_GB2312", "Noto Serif CJK SC", "Source Han Serif SC", serif; }
header { text-align: center; }
.organ { color: #b00; font: bold 26pt/1.4 "SimSun", "Noto Serif CJK SC", serif; letter-spacing: .12em; }
h1 { font: bold 22pt/1.5 "SimSun", "Noto Serif CJK SC", serif; margin: .6em 0 .2em; }
.number { text-align: right; border-top: 2px solid #b00; padding-top: .5em; margin: .8em 0 1.2em; }
p { margin: 0 0 .3em; text-indent: 2em; text-align: justify; overflow-wrap: anywhere; white-space: pre-line; }
p.to { text-indent: 0; }
.sign { margin-top: 3em; text-align: right; break-inside: avoid; }
.sign p { text-indent: 0; text-align: right; }
footer { margin-top: 3em; font: 9pt/1.4 "Noto Sans CJK SC", sans-serif; color: #666; border-top: 1px solid #ccc; padding-top: .5em;
  overflow-wrap: anywhere; }
@media print { body { padding: 0; max-width: none; } .organ, .number { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
# So that a page served under a strict policy may use its own style and nothing else.
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


AT_THE_MARGIN = (
    "住所：", "经营场所：", "登记的住所", "联系方式：", "检查任务：", "检查事项：", "检查人员：", "检查内容：", "检查情况：", "提出：", "审批意见：",
    "扫码入企：", "被检查单位", "□",
)  # fmt: skip


def as_html(document: Document) -> str:
    """The document as one HTML page. Sections of its text are parted by blank lines: head, paragraphs, signature.

    The foot of the page gives the digest of the text, by which a printed copy is held against the register.
    """
    head, *paragraphs, signature = document.text.split("\n\n")
    organ, title, number, *more = head.splitlines()
    shown = "\n".join(_paragraph(text) for text in [*more, *paragraphs])
    signed = "\n".join(f"<p>{escape(line)}</p>" for line in signature.splitlines())
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} {escape(number)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header><div class="organ">{escape(organ)}</div><h1>{escape(title)}</h1></header>\n'
        f'<div class="number">{escape(number)}</div>\n<main>\n{shown}\n</main>\n'
        f'<div class="sign">\n{signed}\n</div>\n'
        f"<footer>文书 {document.id} · 台账 {document.seq} · SHA-256 {digest}</footer>\n</body>\n</html>\n"
    )


def _paragraph(text: str) -> str:
    # Who is addressed, what only names him, and the rows of a form stand at the margin.
    flush = text.endswith("：") or text.startswith(AT_THE_MARGIN)
    return f'<p class="to">{escape(text)}</p>' if flush else f"<p>{escape(text)}</p>"
