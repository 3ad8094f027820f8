"""The gauntlet: what users of such programs complain about, played against a configuration on the sandbox."""
