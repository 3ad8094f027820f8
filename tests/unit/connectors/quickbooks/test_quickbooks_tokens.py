"""The OAuth pair: kept before it is used, renewed once, and given up only when nobody has a better one."""

import asyncio
import json
from urllib.parse import parse_qs

import pytest

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.model.references import Kind, MatchKey
from tests.unit.connectors.quickbooks.quickbooks_doubles import (
    SETTINGS,
    TOKEN,
    Company,
    Drawer,
    StandingClock,
    fault,
    reply,
)


def granting(*answers):
    """A token address that gives these answers in turn, and the refresh tokens it was shown."""
    shown, left = [], list(answers)

    def rule(request):
        if not request.route.endswith("/bearer"):
            return None
        shown.append(parse_qs(request.body.decode())["refresh_token"][0])
        return left.pop(0) if len(left) > 1 else left[0]

    return rule, shown


async def test_pair_is_kept_before_it_is_used():
    """The rotated token is on the disk before the new access token goes out."""
    journal = []
    company = Company(journal=journal)
    await company.connector(drawer=Drawer(journal)).account()

    assert journal[:3] == ["refresh", "kept", "access-1"]


async def test_many_at_once_refresh_once():
    """Callers that find no token wait for one refresh."""
    company = Company()
    connector = company.connector()
    await asyncio.gather(*(connector.account() for _ in range(5)))

    assert company.journal.count("refresh") == 1


async def test_token_is_renewed_before_it_ends():
    """Two minutes before its end a token counts as over."""
    clock = StandingClock()
    company = Company()
    connector = company.connector(clock)
    await connector.account()
    clock.passed += 3600 - 119
    await connector.account()

    assert company.journal.count("refresh") == 2


async def test_many_refused_at_once_renew_once():
    """Several calls refused with the same token share one new one."""
    rule, _ = granting(reply(TOKEN), reply(TOKEN | {"access_token": "access-2"}))

    def refusing(request):
        stale = request.headers["Authorization"] == "Bearer access-1" and not request.route.endswith("/bearer")
        return fault("3200", status=401) if stale else None

    company = Company(rule, refusing)
    connector = company.connector()
    await asyncio.gather(*(connector.find(Kind.PRODUCT, [MatchKey("sku", "1")]) for _ in range(4)))

    assert company.journal.count("refresh") == 2
    assert company.journal[-1] == "access-2"


async def test_token_refused_twice_is_lost_authorization():
    """One renewal, no loop."""
    company = Company(lambda request: None if request.route.endswith("/bearer") else fault("3200", status=401))
    with pytest.raises(ConnectionTrouble) as trouble:
        await company.connector().find(Kind.PRODUCT, [MatchKey("sku", "1")])

    assert trouble.value.condition is Condition.AUTHORIZATION_LOST
    assert len(company.seen) == 2


async def test_configured_token_wins_once_it_changed():
    """A person who connected anew put a new token into the configuration: the kept pair is not used any more."""
    rule, shown = granting(reply(TOKEN))
    company, drawer = Company(rule), Drawer()
    await company.connector(drawer=drawer).account()
    await company.connector(drawer=drawer).account()
    await company.connector(drawer=drawer, refresh_token="new-seed").account()

    assert shown == ["configured", "new-seed"]


async def test_refresh_looks_first_whether_another_process_has_a_better_token():
    """What is kept is read again before the vendor is asked: the token in our hands may be an old one."""
    rule, shown = granting(reply(TOKEN), reply(TOKEN | {"access_token": "access-3"}))
    clock, drawer = StandingClock(), Drawer()
    company = Company(rule)
    connector = company.connector(clock, drawer)
    await connector.account()
    kept = json.loads(drawer.kept["books.oauth"])
    drawer.kept["books.oauth"] = json.dumps(kept | {"refresh_token": "from-elsewhere"})
    clock.passed += 4000
    await connector.account()

    assert shown == ["configured", "from-elsewhere"]
    assert company.journal[-1] == "access-3"


async def test_refused_refresh_is_lost_authorization_in_the_vendors_words():
    """Nothing better is kept: a person has to connect again."""
    rule, shown = granting(reply({"error": "invalid_grant", "error_description": "Token invalid"}, 400))
    with pytest.raises(ConnectionTrouble) as trouble:
        await Company(rule).connector().account()

    assert trouble.value.condition is Condition.AUTHORIZATION_LOST
    assert "Token invalid" in trouble.value.words
    assert shown == ["configured"]


async def test_kept_text_holds_no_configured_secret():
    """What is kept tells its seed by a digest."""
    drawer = Drawer()
    await Company().connector(drawer=drawer).account()

    assert SETTINGS.refresh_token not in drawer.kept["books.oauth"]
    assert SETTINGS.client_secret not in drawer.kept["books.oauth"]


def test_missing_settings_are_all_named():
    """A connection without its keys says which ones."""
    with pytest.raises(ValueError, match="books: client_id, client_secret missing"):
        Company().connector(client_id=None, client_secret=None)


def test_a_refresh_token_from_elsewhere_needs_its_company():
    """Intuit tells the realm id only when a company is connected; whoever connects here needs neither."""
    with pytest.raises(ValueError, match="books: account missing"):
        Company().connector(account=None)
    Company().connector(account=None, refresh_token=None)
