"""All judges together. For each there is a broken engine that it convicts: `test_judges`."""

from collections.abc import Callable, Mapping

from tests.simulation import ledgers
from tests.simulation.checkers import (
    Evidence,
    counted,
    duplicates,
    echo,
    equal,
    lost,
    money,
    one_record,
    order,
    reasoned,
    settled,
)

ALL: Mapping[str, Callable[[Evidence], list[str]]] = {
    judge.__name__: judge
    for judge in (
        *(duplicates, one_record, counted, equal, money, lost, echo, settled, reasoned, order),
        *(ledgers.set_full, ledgers.total_queue, ledgers.bounds, ledgers.cursors),
        *(ledgers.secrets, ledgers.liveness, ledgers.status),
    )
}


def judge(e: Evidence) -> dict[str, list[str]]:
    """What each judge found; those that found nothing are left out."""
    return {name: found for name, each in ALL.items() if (found := each(e))}
