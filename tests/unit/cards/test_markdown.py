"""Markdown as HTML, and what must never become markup."""

from __future__ import annotations

import time

import pytest

from reflow.cards.markdown import html_of
from tests.integration.cards.reading import read


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One\n## Two ##", "<h1>One</h1>\n<h2>Two</h2>"),
        (
            "a **b** __c__ *d* _e_ ~~f~~",
            "<p>a <strong>b</strong> <strong>c</strong> <em>d</em> <em>e</em> <del>f</del></p>",
        ),
        ("**bold _both_**", "<p><strong>bold <em>both</em></strong></p>"),
        ("snake_case_name 2*3*4 and `a*b*`", "<p>snake_case_name 2*3*4 and <code>a*b*</code></p>"),
        ("line one  \nline two\nline three", "<p>line one<br>\nline two\nline three</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("- a\n- b\n  - c\n- d", "<ul><li>a</li><li>b\n<ul><li>c</li></ul></li><li>d</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("> a\n> b", "<blockquote><p>a\nb</p></blockquote>"),
        ("---", "<hr>"),
        ("```python\n<x> **y**\n```", '<pre class="block"><code>&lt;x&gt; **y**</code></pre>'),
        (
            "[a](https://x.org/y?z=1&w=2)",
            '<p><a href="https://x.org/y?z=1&amp;w=2" rel="noreferrer">a</a></p>',
        ),
        ("see https://x.org.", '<p>see <a href="https://x.org" rel="noreferrer">https://x.org</a>.</p>'),
        (r"\*not\* \<b>", "<p>*not* &lt;b&gt;</p>"),
        ("``a ` b`` ``c`", "<p><code>a ` b</code> ``c`</p>"),
        ("text\n- item", "<p>text</p>\n<ul><li>item</li></ul>"),
    ],
)
def test_what_is_written_in_markdown_becomes_html(text: str, html: str) -> None:
    assert html_of(text) == html


def test_a_table_has_a_header_and_rows() -> None:
    made = html_of("| a | b\\|c |\n|---|:-:|\n| 1 | **2** |\n| 3 |")
    assert "<tr><th>a</th><th>b|c</th></tr>" in made
    assert "<tr><td>1</td><td><strong>2</strong></td></tr><tr><td>3</td></tr>" in made


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://far.example/pixel.png)",
        '![x](data:image/svg+xml;base64,PHN2Zz4=" onload="alert(1))',
        '[x](https://a" onmouseover="alert(1))',
        "[<script>alert(1)</script>](https://a)",
        "`<script>`\n\n    <script>\n\n```\n<script>\n```",
        "| <script> | b |\n|---|---|\n| <img src=x onerror=y> | 1 |",
        "# <script>\n> <script>\n- <script>",
        'https://a.b/"onclick="x',
    ],
)
def test_values_never_become_markup(text: str) -> None:
    found = read(html_of(text))
    assert not found.handlers
    assert not found.fetched
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert all(link.startswith("https://") for link in found.links), found.links


def test_a_picture_within_the_text_is_shown_where_it_is_one() -> None:
    assert (
        html_of("![dot](data:image/png;base64,AAAA)")
        == '<p><img src="data:image/png;base64,AAAA" alt="dot"></p>'
    )


GAP = " " * 20_000


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (f"# a{GAP}b", f"<h1>a{GAP}b</h1>"),
        (f"# a{GAP}#{GAP}", "<h1>a</h1>"),
        ("# " + "#" * 20_000 + "x", f"<h1>{'#' * 20_000}x</h1>"),
        ("# " + "#" * 20_000, "<h1></h1>"),
        (f"a|b\n{GAP}\nc", "<p>a|b</p>\n<p>c</p>"),
        (f"a|b\n--{GAP}x", f"<p>a|b\n--{GAP}x</p>"),
        (f"a|b\n{GAP}-|-{GAP}", '<div class="wide"><table><tr><th>a</th><th>b</th></tr></table></div>'),
        (f"~~~{GAP}w`", f"<p>~~~{GAP}w`</p>"),
        ("~" * 20_000 + "\nx", '<pre class="block"><code>x</code></pre>'),
        (f"---{GAP}x", f"<p>---{GAP}x</p>"),
        ("a" + "`" * 20_000 + "x", f"<p>a{'`' * 20_000}x</p>"),
    ],
    ids=range(11),
)
def test_a_long_line_is_read_as_a_short_one_is(text: str, html: str) -> None:
    assert html_of(text) == html


@pytest.mark.parametrize(
    "text", ["*" * 20_000, "[" * 20_000, "`" * 20_001, "> " * 5_000 + "x", "_a" * 9_000, "- " * 4_000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    html_of(text)
    assert time.process_time() - began < 5
