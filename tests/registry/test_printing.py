"""A printed document: escaped, self-contained, in the order of its text."""

from html.parser import HTMLParser

import pytest

from registry.models import Entity
from registry.services import documents, ledger, printing
from tests.conftest import NOW
from tests.factories import registered
from tests.registry.papers import desk_of


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def page(on_sqlite):
    entity = Entity.get_by_id(
        registered(name="<script>alert(1)</script>示例有限公司", address='"><img src=x onerror=y>')
    )
    with ledger.writing(now=NOW, schemes=[]) as pen:
        desk = desk_of(on_sqlite)
        made = documents.issue(
            pen, documents.number("abnormal_enter", desk), desk=desk, entity=entity,
            variables={"facts": "<b>事实</b>\n第二行 & 其他", "basis": "示例依据"},
        )  # fmt: skip
    return made, printing.as_html(made)


def test_nothing_of_a_party_or_an_officer_becomes_markup(page):
    found = Page(page[1])
    assert set(found.tags) <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "div",
        "h1",
        "main",
        "p",
        "footer",
    }
    assert not {"src", "href", "onerror", "style"} & set(found.attributes)
    assert "<script>alert(1)</script>示例有限公司" in "".join(found.words)


def test_a_page_loads_nothing_and_has_a_style_for_paper(page):
    text = page[1]
    assert 'lang="zh-CN"' in text
    assert "url(" not in text
    assert "http" not in text
    assert "@page" in text
    assert "@media print" in text
    assert printing.STYLE_HASH in printing.POLICY


def test_a_page_says_every_word_of_the_document_in_its_order(page):
    made, text = page
    words = "".join("".join(Page(text).words).split())
    after = words.index("信衡市市场监督管理局")
    for line in made.text.splitlines():
        line = "".join(line.split())
        assert line in words[after:]
        after = words.index(line, after) + (len(line) if line else 0)
