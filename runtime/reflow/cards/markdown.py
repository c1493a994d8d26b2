"""Markdown as HTML: headings, lists, tables, quotes, fences, and what stands within a line.

Whatever else is in the text is text: HTML is escaped, and links lead to http(s) only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reflow.cards.parts import escape

_INLINE = re.compile(
    r"\\(?P<literal>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`++)(?:(?P<code>[^`].{0,4000}?)(?<!`)(?P=ticks)(?!`))?"
    r"|(?P<image>!?)\[(?P<label>[^\[\]]*)\]\((?P<href>[^()\s]*(?:\([^()\s]*\)[^()\s]*)?)(?:\s+\"[^\"]*\")?\)"
    r"|(?P<bold>\*\*|(?<!\w)__)(?=\S)(?P<strong>.{1,4000}?)(?<=\S)(?P=bold)"
    r"|(?<!\w)(?P<slant>[*_])(?=[^\s*_])(?P<em>.{0,4000}?[^\s*_])(?P=slant)(?!\w)"
    r"|~~(?=\S)(?P<gone>.{1,4000}?)(?<=\S)~~"
    r"|(?P<url>https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]])",
    re.DOTALL,
)
# Of a line, in a time that grows as its length: no two parts next to each other may match the same.
_FENCE = re.compile(r"\s{0,3}(```++|~~~++)[^`]*$")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$")
_BELOW_HEADER = re.compile(r":?-+:?")  # a cell
_CELL = re.compile(r"(?<!\\)\|")
_DEEPEST = 8  # lists and quotes within each other


def html_of(text: str) -> str:
    """The text as HTML."""
    return _blocks(text.replace("\r\n", "\n").expandtabs(4).split("\n"), 0)


def inline(text: str) -> str:
    """One piece of text, without blocks."""
    made, done = [], 0
    for found in _INLINE.finditer(text):
        made += [escape(text[done : found.start()]), _span(found)]
        done = found.end()
    return "".join([*made, escape(text[done:])])


def _span(found: re.Match[str]) -> str:
    if found["literal"]:
        return escape(found["literal"])
    if found["code"] is not None:
        return f"<code>{escape(found['code'].strip())}</code>"
    if found["label"] is not None:
        return _link(found["href"], found["label"], bool(found["image"]))
    if found["url"]:
        return f'<a href="{escape(found["url"])}" rel="noreferrer">{escape(found["url"])}</a>'
    for group, tag in (("strong", "strong"), ("em", "em"), ("gone", "del")):
        if found[group]:
            return f"<{tag}>{inline(found[group])}</{tag}>"
    return escape(found[0])


def _link(href: str, label: str, is_image: bool) -> str:
    if is_image and re.match(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$", href):
        return f'<img src="{href}" alt="{escape(label)}">'
    if not re.match(r"https?://", href, re.IGNORECASE):
        return f"{inline(label)} ({escape(href)})"
    return f'<a href="{escape(href)}" rel="noreferrer">{inline(label) or escape(href)}</a>'


# Blocks


def _blocks(lines: list[str], depth: int) -> str:
    made: list[str] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        for take in _BLOCKS if depth < _DEEPEST else _BLOCKS[:2]:
            found = take(lines, at, depth)
            if found:
                block, at = found
                made.append(block)
                break
        else:
            block, at = _paragraph(lines, at)
            made.append(block)
    return "\n".join(made)


Taken = tuple[str, int] | None


def _fence(lines: list[str], at: int, depth: int) -> Taken:
    found = _FENCE.match(lines[at])
    if not found:
        return None
    end = at + 1
    while end < len(lines) and not lines[end].strip().startswith(found[1]):
        end += 1
    code = "\n".join(lines[at + 1 : end])
    return f'<pre class="block"><code>{escape(code)}</code></pre>', end + 1


def _heading(lines: list[str], at: int, depth: int) -> Taken:
    if _RULE.match(lines[at]):
        return "<hr>", at + 1
    found = _HEADING.match(lines[at])
    if not found:
        return None
    text = lines[at][found.end() :].rstrip().rstrip("#").rstrip()
    return f"<h{len(found[1])}>{inline(text)}</h{len(found[1])}>", at + 1


def _quote(lines: list[str], at: int, depth: int) -> Taken:
    end = at
    while end < len(lines) and lines[end].lstrip().startswith(">"):
        end += 1
    if end == at:
        return None
    inner = [re.sub(r"^\s*> ?", "", line) for line in lines[at:end]]
    return f"<blockquote>{_blocks(inner, depth + 1)}</blockquote>", end


def _table(lines: list[str], at: int, depth: int) -> Taken:
    if "|" not in lines[at] or at + 1 >= len(lines):
        return None
    if not all(_BELOW_HEADER.fullmatch(cell) for cell in _cells(lines[at + 1])):
        return None
    header = _cells(lines[at])
    end = at + 2
    rows = []
    while end < len(lines) and "|" in lines[end]:
        cells = _cells(lines[end])[: len(header)]
        rows.append("".join(f"<td>{inline(cell)}</td>" for cell in cells))
        end += 1
    head = "".join(f"<th>{inline(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>', end


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
    return [cell.strip() for cell in _CELL.split(line)]


def _list(lines: list[str], at: int, depth: int) -> Taken:
    first = _ITEM.match(lines[at])
    if not first:
        return None
    indent, numbered = len(first[1]), first[2][0].isdigit()
    items: list[list[str]] = []
    while at < len(lines):
        found = _ITEM.match(lines[at])
        if found and len(found[1]) <= indent:
            if len(found[1]) < indent or found[2][0].isdigit() != numbered or _RULE.match(lines[at]):
                break
            items.append([found[3]])
        elif not lines[at].strip():
            after = lines[at + 1] if at + 1 < len(lines) else ""
            if not (_ITEM.match(after) or after.startswith(" " * (indent + 2))):
                break
            items[-1].append("")
        elif lines[at].startswith(" " * (indent + 1)):
            items[-1].append(_dedented(lines[at], indent + 2))
        else:
            break
        at += 1
    start = f' start="{int(first[2][:-1])}"' if numbered and int(first[2][:-1]) != 1 else ""
    tag = "ol" if numbered else "ul"
    made = "".join(f"<li>{_item(item, depth)}</li>" for item in items)
    return f"<{tag}{start}>{made}</{tag}>", at


def _item(lines: list[str], depth: int) -> str:
    made = _blocks(lines, depth + 1)
    return re.sub(r"^<p>(.*?)</p>", r"\1", made, count=1, flags=re.DOTALL)


def _dedented(line: str, by: int) -> str:
    return line[min(by, len(line) - len(line.lstrip())) :]


_BLOCKS: tuple[Callable[[list[str], int, int], Taken], ...] = (_fence, _heading, _quote, _table, _list)


def _paragraph(lines: list[str], at: int) -> tuple[str, int]:
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _begins_block(lines[end]):
        end += 1
    text = "\n".join(line.strip() + ("  " if line.endswith("  ") else "") for line in lines[at:end])
    made = inline(text.strip()).replace("  \n", "<br>\n")
    return f"<p>{made}</p>", end


def _begins_block(line: str) -> bool:
    patterns = (_FENCE, _HEADING, _RULE, _ITEM)
    return any(pattern.match(line) for pattern in patterns) or line.lstrip().startswith(">")
