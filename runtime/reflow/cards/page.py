"""A whole page: one file that needs nothing else, in which nothing runs."""

from __future__ import annotations

from reflow.cards.parts import escape

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""For the browser: whatever got into the page, it asks for nothing, and no script runs."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #3b6fb6; --bad: #c0392b }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem } h3 { font-size: 1rem }
h1, h2, h3, h4 { line-height: 1.25 } .note { opacity: .7 }
table { border-collapse: collapse } td, th { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
vertical-align: top } th { background: var(--soft); font-weight: 600 }
.wide { overflow: auto; max-height: 34rem; margin: .6rem 0 }
.pairs th { white-space: nowrap } pre, code { font: 13px/1.45 ui-monospace, monospace }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 } .block { background: var(--soft); padding: .6rem;
border-radius: 4px; margin: .6rem 0 }
blockquote { margin: .6rem 0; padding-left: .8rem; border-left: 3px solid var(--line) }
figure { margin: .8rem 0 } figure img, figure svg { max-width: 100%; height: auto } figcaption { opacity: .7 }
.error { border-left: 4px solid var(--bad); background: var(--soft); padding: .6rem .8rem; margin: .8rem 0 }
.progress { margin: .8rem 0 } progress { width: 100%; height: .9rem; accent-color: var(--accent) }
.box { display: inline-block; border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 4px;
padding: .5rem 1rem; margin: .4rem .4rem .4rem 0 } .box b { font-size: 1.6rem }
.box.success { border-left-color: #27864a }
.box.warning { border-left-color: #c98a00 } .box.danger { border-left-color: var(--bad) }
details { margin: .4rem 0 } summary { cursor: pointer; opacity: .8 } svg text { fill: currentColor }
.here { font-weight: 700 } .kind { opacity: .6 }
.event { border-left: 4px solid var(--line); padding: .2rem .7rem; margin: .3rem 0 }
.event.success { border-color: #27864a } .event.warning { border-color: #c98a00 }
.event.danger { border-color: var(--bad) }
"""


def page(title: str, body: str) -> str:
    """`body` is HTML; the title is text."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
