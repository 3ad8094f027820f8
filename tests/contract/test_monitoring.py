"""What is shipped for whoever watches: alert rules, dashboard and runbooks say what the daemon really shows."""

import json
import re
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from syncd.status import alerts, metrics, runbooks
from tests.promtool import promtool
from tests.status_state import METERS, configuration, filled, served, source

FOLDER = Path(__file__).parents[2] / "systemd" / "monitoring"
RULES = (FOLDER / "alerts.yml").read_text()
ALERTS = re.findall(r"- alert: (\w+)", RULES)
RUNBOOKS = (FOLDER / "runbooks.md").read_text()
NAME = re.compile(r"\bsyncd_\w+")
PARTS = ("**Meaning**", "**Impact**", "**Diagnosis**", "**Mitigation**")


@pytest.fixture
async def shown(tmp_path: Path) -> dict[str, set[str]]:
    """Every series' name with its labels, as a daemon shows them that has done everything once."""
    store = await filled(tmp_path)
    await store.write(lambda tx: tx.set_meta("backup:last", "2026-11-20T00:00:00+00:00"))
    METERS.ahead["crm"] = 0.0
    text = (await metrics.exposition(source(configuration(tmp_path), store))).decode()
    await store.close()
    found = {s.name: set(s.labels) for family in text_string_to_metric_families(text) for s in family.samples}
    return found | {"syncd_webhooks_total": {"connection", "result"}}  # no webhooks are set up


def test_promtool_accepts_the_rules() -> None:
    """Every expression and template can be read."""
    promtool("check", "rules", FOLDER / "alerts.yml")


def test_every_alert_fires_and_clears() -> None:
    """Outage, consent, failing records, unknown outcome, held flow, stale queue and the others, minute by minute."""
    promtool("test", "rules", FOLDER / "alerts_test.yml")

    assert set(re.findall(r"alertname: (\w+)", (FOLDER / "alerts_test.yml").read_text())) == set(ALERTS)


async def test_rules_name_only_metrics_there_are(shown: dict[str, set[str]]) -> None:
    """A renamed metric would leave an alert that never fires."""
    assert set(NAME.findall(RULES)) <= shown.keys()


async def test_the_dashboard_shows_only_metrics_there_are(shown: dict[str, set[str]]) -> None:
    """And every one there is, but for the poll interval and what is due next, which only the alerts need."""
    board = json.loads((FOLDER / "dashboard.json").read_text())
    targets = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    named = {name for expr in targets for name in NAME.findall(expr)}

    assert named <= shown.keys()
    family = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown}
    drawn = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}
    assert family - drawn == {"syncd_poll_interval_seconds", "syncd_oldest_due_timestamp_seconds"}
    for expr in targets:
        for name, labels in re.findall(r"\b(syncd_\w+)\{([^}]*)\}", expr):
            assert set(re.findall(r"(\w+)\s*=", labels)) <= shown[name], expr
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_leads_to_a_whole_entry(alert: str) -> None:
    """A summary, and a runbook with meaning, impact, diagnosis and mitigation."""
    rule = RULES.split(f"- alert: {alert}\n")[1].split("- alert:")[0]
    entry = RUNBOOKS.split(f"### {alert}\n")[1].split("\n###")[0]

    assert "summary:" in rule
    link = (
        "runbooks.md#syncddown"
        if alert == "SyncdDown"
        else f'"http://{{{{ $labels.instance }}}}/runbooks/{alert.lower()}"'
    )
    assert f"runbook_url: {link}\n" in rule
    assert [part for part in PARTS if part not in entry] == []
    assert list(alerts.alerts()[alert]) == [part.strip("*") for part in PARTS]


def test_no_alert_is_forgotten_by_the_page() -> None:
    """What the runbooks describe is what the rules watch."""
    assert list(alerts.alerts()) == ALERTS


async def test_a_link_of_an_alert_leads_to_its_entry(tmp_path: Path) -> None:
    """On the daemon's own page; one that nobody knows is not there."""
    store = await filled(tmp_path)
    async with served(configuration(tmp_path), store) as address, aiohttp.ClientSession(address) as http:
        text = await (await http.get("/runbooks/syncddisklow")).text()
        assert "<h1>SyncdDiskLow</h1>" in text
        assert "<code>daemon.disk_reserve</code>" in text
        assert (await http.get("/runbooks/nothing")).status == 404
    await store.close()


def test_the_runbooks_say_what_the_catalogue_says() -> None:
    """After a change of the catalogue: `python -m syncd.status.runbooks`."""
    assert runbooks.written(RUNBOOKS) == RUNBOOKS
