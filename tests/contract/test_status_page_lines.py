"""The page of a record shows lines as they are, whatever they lack."""

from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import aiohttp

from syncd.model.nouns import Line
from syncd.model.references import EntityRef, Kind
from syncd.store.rows import Observed
from tests.status_state import NOW, configuration, filled, invoice, served


async def test_a_line_without_a_name_or_without_an_amount_is_shown(tmp_path):
    """A vendor's lines may have a description only, or be text without any number."""
    lines = (Line(id="1", description="Weekly mowing", amount=Decimal("25")), Line(id="2", description="Thank you!"))
    bare = invoice("hs-1", 15)
    seen = replace(bare, version="8", noun=replace(bare.noun, lines=lines))
    look = Observed(ref=EntityRef("crm", Kind.INVOICE, "hs-1"), snapshot=seen, cause="poll", at=NOW)
    store = await filled(tmp_path)
    await store.write(lambda tx: tx.observe([look]))
    page = Text()
    async with (
        served(configuration(tmp_path), store) as address,
        aiohttp.ClientSession() as session,
        session.get(f"{address}/records/{1:032x}") as answer,
    ):
        assert answer.status == 200
        page.feed(await answer.text())
    await store.close()
    assert {"Weekly mowing", "Thank you!", "$25.00"} <= set(page.words)


class Text(HTMLParser):
    """The visible texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())
