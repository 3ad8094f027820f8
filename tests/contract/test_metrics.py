"""`/metrics`: Prometheus' text format, its naming advice, and nothing in it that could name a person or a record."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from syncd.connectors.base import Done, NotDone, Refused, Unknown
from syncd.connectors.http import AnswerLost, HttpReply, HttpRequest, NotSent
from syncd.feed.received import Received
from syncd.meters import MOST_NOTICED, Metered, Meters
from syncd.model.record import Change, Intent, IntentState, Op
from syncd.model.references import EntityRef, Kind, Side
from syncd.store.store import Store
from tests import status_state
from tests.promtool import promtool
from tests.status_state import HOSTILE, NOW, StoppedClock, configuration, filled, served

FLOW = 'flow="invoices",sync="invoicing"'


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await filled(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters()
    monkeypatch.setattr(status_state, "METERS", made)
    return made


@pytest.fixture
async def scrape(store: Store, meters: Meters, tmp_path: Path):
    """Asks for the metrics: the text, and every series' value by its name with its labels sorted."""
    async with served(configuration(tmp_path), store) as address, aiohttp.ClientSession() as http:

        async def ask() -> tuple[str, dict[str, float]]:
            async with http.get(f"{address}/metrics") as answer:
                assert (answer.status, answer.content_type) == (200, "text/plain")
                text = await answer.text()
            lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
            return text, {_sorted(name): float(value) for name, value in lines}

        yield ask


def _sorted(series: str) -> str:
    name, _, labels = series.partition("{")
    found = sorted(re.findall(r'(\w+="[^"]*")', labels))
    return f"{name}{{{','.join(found)}}}" if found else name


def intent(id: str = "i", **more) -> Intent:
    given = {"record": "r", "sync": "invoicing", "flow": "invoices", "connection": "books", "side": Side.RIGHT}
    return Intent(id=id, op=Op.CREATE, kind=Kind.INVOICE, created_at=NOW, **given | more)


async def test_promtool_has_nothing_to_say(scrape):
    """Names, units, help texts and types are as Prometheus wants them."""
    text, _ = await scrape()

    assert promtool("check", "metrics", text=text.encode()) == ""


async def test_every_series_is_there_before_anything_happens(scrape):
    """An alert on a series that does not exist yet would never fire."""
    _, found = await scrape()

    for zero in (
        'syncd_failed_records{category="unknown_outcome",flow="payments",sync="invoicing"}',
        'syncd_writes_total{op="void",outcome="refused",vendor="quickbooks"}',
        'syncd_write_attempts_total{op="create",vendor="hubspot"}',
        f"syncd_unknown_outcomes{{{FLOW}}}",
        f"syncd_propagation_seconds_count{{{FLOW}}}",
        'syncd_http_client_request_duration_seconds_count{code_class="5xx",vendor="quickbooks"}',
        'syncd_rate_limited_total{connection="crm",vendor="hubspot"}',
        'syncd_invariant_violations_total{invariant="counts"}',
        'syncd_connection_condition{condition="authorization_lost",connection="books",vendor="quickbooks"}',
        f"syncd_held_flows{{{FLOW}}}",
    ):
        assert found[zero] == 0, zero
    assert (
        f"syncd_propagation_seconds_bucket{{{FLOW.replace(',', ',le=' + chr(34) + '3600.0' + chr(34) + ',')}}}" in found
    )


async def test_the_figures_are_those_of_the_state(scrape, store):
    """Records by status, failures by category, conditions, moments instead of ages."""
    hint = Change(ref=EntityRef("crm", Kind.PARTY, "7"), cause="poll", due_at=NOW - timedelta(minutes=2))
    await store.write(lambda tx: (tx.put_changes([hint]), tx.set_meta("backup:last", NOW.isoformat())))
    _, found = await scrape()

    assert [
        found[f'syncd_records{{{FLOW.split(",")[0]},status="{s}",sync="invoicing"}}'] for s in ("synced", "failed")
    ] == [1, 1]
    assert found['syncd_failed_records{category="customer_missing",flow="invoices",sync="invoicing"}'] == 1
    assert (
        found['syncd_connection_condition{condition="vendor_unavailable",connection="books",vendor="quickbooks"}'] == 1
    )
    assert found['syncd_last_success_timestamp_seconds{connection="crm",vendor="hubspot"}'] == NOW.timestamp()
    assert found[f"syncd_oldest_pending_timestamp_seconds{{{FLOW}}}"] == (NOW - timedelta(minutes=3)).timestamp()
    assert found['syncd_oldest_pending_timestamp_seconds{flow="contacts",sync="invoicing"}'] == 0  # waits_connection
    assert found["syncd_queue_records"] == 1
    assert found["syncd_oldest_due_timestamp_seconds"] == (NOW - timedelta(minutes=2)).timestamp()
    assert found["syncd_backup_timestamp_seconds"] == NOW.timestamp()
    assert found["syncd_db_size_bytes"] > 0
    assert found["syncd_disk_free_bytes"] > found["syncd_disk_reserve_bytes"] > 0
    assert found['syncd_build_info{version="0.1"}'] == 1


async def test_what_is_counted_in_memory(scrape, meters):
    """Writes, attempts, calls, webhooks, the time from hearing of a change until it is over there."""
    intents = {id: intent(id, record=id) for id in "abcde"} | {"e": intent("e", state=IntentState.UNKNOWN)}
    meters.noticed("a", NOW)
    meters.sent(intents.values())
    meters.settled(
        intents,
        [
            Done(intent="a", id="1"),
            Refused(intent="b", category="vendor_rejected", words="no"),
            NotDone(intent="c", words="busy"),
            Unknown(intent="d", words="gone"),
            Unknown(intent="e", words="still gone"),
        ],
        NOW + timedelta(seconds=40),
    )
    meters.polled["crm"] += 3
    meters.receipts = {"crm": Received(accepted=2)}
    _, found = await scrape()

    writes = {
        o: found[f'syncd_writes_total{{op="create",outcome="{o}",vendor="quickbooks"}}']
        for o in ("done", "refused", "postponed", "unknown", "stale")
    }
    assert writes == {"done": 1, "refused": 1, "postponed": 1, "unknown": 1, "stale": 0}
    assert found['syncd_write_attempts_total{op="create",vendor="quickbooks"}'] == 5
    assert found['syncd_poll_changes_total{connection="crm",vendor="hubspot"}'] == 3
    assert found['syncd_webhooks_total{connection="crm",result="accepted"}'] == 2
    assert found[f"syncd_propagation_seconds_sum{{{FLOW}}}"] == 40
    assert found['syncd_propagation_seconds_bucket{flow="invoices",le="30.0",sync="invoicing"}'] == 0
    assert found['syncd_propagation_seconds_bucket{flow="invoices",le="60.0",sync="invoicing"}'] == 1


async def test_calls_are_counted_by_how_they_ended(scrape, meters):
    """An answer by its class, a lost one as lost; what asks us to slow down, and the vendor's clock."""
    date = {"date": "Fri, 20 Nov 2026 12:01:30 GMT"}

    class Vendor:
        async def send(self, request):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    answers = [HttpReply(status=s, headers=date, body=b"") for s in (200, 429)] + [AnswerLost("x"), NotSent("x")]
    transport = Metered(Vendor(), "books", meters, StoppedClock())
    for lost in (False, False, True, True):
        try:
            await transport.send(HttpRequest(method="GET", url="http://x", route="/x"))
        except (AnswerLost, NotSent):
            assert lost
    _, found = await scrape()

    seconds = "syncd_http_client_request_duration_seconds_count"
    counts = {
        code: found[f'{seconds}{{code_class="{code}",vendor="quickbooks"}}']
        for code in ("2xx", "4xx", "lost", "not_sent")
    }
    assert counts == {"2xx": 1, "4xx": 1, "lost": 1, "not_sent": 1}
    assert found['syncd_rate_limited_total{connection="books",vendor="quickbooks"}'] == 1
    assert found['syncd_clock_offset_seconds{connection="books",vendor="quickbooks"}'] == 90


async def test_no_label_names_a_record_or_a_person(scrape):
    """Neither ids, nor names, nor what vendors said; and few series."""
    text, found = await scrape()

    assert not [word for word in (HOSTILE, "script", "INV-", "hs-1", "Rope", f"{2:032x}", "503") if word in text]
    assert {label for series in found for label in re.findall(r'(\w+)="', series)} == {
        *("sync", "flow", "status", "category", "connection", "vendor", "condition"),
        *("op", "outcome", "code_class", "result", "invariant", "version", "le"),
    } - {"result"}  # no webhooks are set up
    assert len(found) < 1000


@pytest.mark.parametrize(("open_", "status"), [(True, 200), (False, 401)])
async def test_metrics_are_read_by_whoever_may_read(store, tmp_path, open_, status):
    """The rule of all reading routes: a token, unless the configuration opens the listener on loopback."""
    config = configuration(tmp_path, open_on_loopback=open_)
    async with served(config, store) as address, aiohttp.ClientSession() as http, http.get(f"{address}/metrics") as got:
        assert got.status == status


async def test_a_scrape_is_cheap(scrape, store):
    """One reading transaction; its statements are steps into indexes."""
    reads = []
    read = store.read
    store.read = lambda work: (reads.append(1), read(work))[1]  # type: ignore[method-assign]
    await scrape()
    reads.clear()
    await scrape()

    assert len(reads) == 1


def test_what_is_remembered_of_beginnings_is_bounded():
    """Records whose change never ends in a write do not fill the memory."""
    meters = Meters()
    for number in range(MOST_NOTICED + 10):
        meters.noticed(str(number), NOW)

    assert len(meters._noticed) == MOST_NOTICED
