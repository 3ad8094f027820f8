"""Options of flows: every mistake is told with its place in the file and a cure."""

from pathlib import Path

import pytest

from syncd.config import load
from syncd.errors import ConfigError
from syncd.recipes.options import bent, check
from tests.unit.core.builders import rules

INVOICES = rules().flow("invoices")


@pytest.mark.parametrize(
    ("flow", "options", "words"),
    [
        ("contacts", {"tax_codes": {}}, "there is no option “tax_codes”"),
        ("contacts", {"display_name_pattern": "{name}"}, "tells nobody from their namesake"),
        ("contacts", {"display_name_pattern": "{name} {phone}"}, "is no pattern"),
        ("contacts", {"display_name_pattern": "{name!r} {id}"}, "is no pattern"),
        ("contacts", {"display_name_pattern": "{name} {id"}, "is no pattern"),
        ("contacts", {"display_name_pattern": "New customer"}, "is no pattern"),
        ("products", {"income_account": " "}, "must be a text"),
        ("invoices", {"tax_codes": ["20"]}, "must be a table"),
        ("invoices", {"tax_codes": {"5,5": "Reduced"}}, "“5,5” is none"),
        ("invoices", {"tax_codes": {"120": "Much"}}, "“120” is none"),
        ("invoices", {"tax_codes": {"20": 5}}, "needs the name or id"),
        ("invoices", {"tax_codes": {"5": {"5": "Reduced"}}}, "needs the name or id"),
        ("invoices", {"tax_product": 7}, "must be a text"),
        ("invoices", {"service_date": "yesterday"}, "must name a date"),
        ("invoices", {"native_sources": "hubspot"}, "must be a list"),
    ],
)
def test_a_mistake_is_told_with_its_cure(flow: str, options: dict[str, object], words: str) -> None:
    """Types and meanings alike."""
    ((path, message, cure),) = check(rules().flow(flow), options)
    assert path[0] in options
    assert words in message
    assert cure


def test_what_is_right_bends_the_flow() -> None:
    """Rates in one form, whichever way they are written."""
    options = {"tax_codes": {"20.0": "TVA 20", "5.50": "7"}, "service_date": "invoice_date", "tax_product": "Sales tax"}
    assert list(check(INVOICES, options)) == []
    flow = bent(INVOICES, options)
    assert (flow.tax_codes, flow.service_date, flow.tax_product) == (
        {"20": "TVA 20", "5.5": "7"},
        "issue_date",
        "Sales tax",
    )
    assert list(check(rules().flow("contacts"), {"display_name_pattern": "{name} ({email})"})) == []


def test_the_place_in_the_file_is_told(tmp_path: Path) -> None:
    """File and line of the rate that is none."""
    file = tmp_path / "syncd.toml"
    file.write_text(
        '[connections.crm]\nvendor = "hubspot"\ntoken = { env = "T" }\n'
        '[connections.books]\nvendor = "quickbooks"\nclient_id = "a"\nclient_secret = { env = "T" }\n'
        '[syncs.s]\nrecipe = "hubspot-quickbooks"\nleft = "crm"\nright = "books"\n'
        '[syncs.s.flows.invoices.options]\ncustom_line_item_account = "Services"\n'
        '[syncs.s.flows.invoices.options.tax_codes]\n20 = "TVA 20"\n"5,5" = "TVA 5,5"\n'
    )
    with pytest.raises(ConfigError) as refused:
        load(file, {"T": "secret"})
    assert "syncd.toml:16" in str(refused.value)
    assert "“5,5” is none" in str(refused.value)
