"""`requestid`: a repeated write gets the first answer again and nothing happens a second time."""

from __future__ import annotations

from hashlib import sha256

from syncd.sandbox.base import Request, Response
from syncd.sandbox.quickbooks.errors import Fault
from syncd.sandbox.quickbooks.settings import Settings

LONGEST, LONGEST_ON_BATCH = 50, 36


class Replay:
    """The first answers by requestid. The vendor's pages do not say for how long it keeps them; here for good."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[bytes, Response]] = {}

    def known(self, settings: Settings, request: Request, id: str, *, batch: bool) -> Response | None:
        """The first answer to this id, None when it is new.

        Raises:
            Fault: 2130 for an id that is too long; 600 for another body, where the settings say so.
        """
        most = LONGEST_ON_BATCH if batch else LONGEST
        if not 0 < len(id) <= most:
            raise Fault("2130", f"requestid can have {most} characters. Supplied length:{len(id)}", "requestid")
        digest, answer = self._answers.get(id, (None, None))
        if answer is not None and digest != _digest(request) and settings.requestid_mismatch == "fault":
            raise Fault("600", "Duplicate Request Id : it was used for another request.", "requestid")
        return answer

    def keep(self, settings: Settings, request: Request, id: str, answer: Response) -> None:
        """Remember the answer of a write that ran."""
        if answer.status == 200 or settings.requestid_replays_faults:
            self._answers[id] = (_digest(request), answer)


def _digest(request: Request) -> bytes:
    return sha256(f"{request.method} {request.path}\n".encode() + request.body).digest()
