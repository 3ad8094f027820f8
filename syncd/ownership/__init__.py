"""Who runs which sync. One process owns everything: `local`."""
