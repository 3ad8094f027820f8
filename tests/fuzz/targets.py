"""All targets, by group."""

from __future__ import annotations

from tests.fuzz import targets_files, targets_status, targets_vendors, targets_webhooks, targets_words

TARGETS = [
    *targets_webhooks.TARGETS,
    *targets_vendors.TARGETS,
    *targets_files.TARGETS,
    *targets_status.TARGETS,
    *targets_words.TARGETS,
]
