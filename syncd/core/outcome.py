"""Ways out of a decision before it is complete: the record must wait, fails, or does not belong.

They are raised from deep inside the translation of one invoice and caught once, at the top of `plan`.
"""

from __future__ import annotations


class Settled(Exception):
    """The decision ends here with this status code.

    Args:
        code: a row of the catalogue; its group says whether the record is pending, failed or excluded.
        words: the detail a person needs: which contact, which line.
        waits_for: what cures it when it is seen, as `model.waiting` says it.
        wants: records that must be made on the other side for this one.
    """

    def __init__(
        self,
        code: str,
        words: str = "",
        *,
        waits_for: str | None = None,
        wants: tuple[str, ...] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
        self.waits_for = waits_for
        self.wants = wants
