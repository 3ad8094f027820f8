"""Whether this machine's clock and a vendor's agree: signatures, tokens and start dates are measured with both."""

from __future__ import annotations

from syncd.connectors.base import Finding, Severity

MOST = 30.0  # seconds; an answer takes a while, and its time is in whole seconds


def finding(skew: float | None) -> Finding:
    """What `check` says of it. `skew`: by how many seconds the vendor's clock is ahead, None if it did not tell."""
    if skew is None:
        return Finding(severity=Severity.OK, title="The clock: unknown, no answer showed the time")
    if abs(skew) <= MOST:
        return Finding(severity=Severity.OK, title="The clocks agree")
    what = "behind" if skew > 0 else "ahead"
    return Finding(
        severity=Severity.WARNING,
        title=f"This machine's clock is {abs(round(skew))} seconds {what} of the vendor's",
        cure="set the clock by NTP (timedatectl set-ntp true): webhooks and tokens are judged by it",
    )
