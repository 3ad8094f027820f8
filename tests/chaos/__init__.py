"""Real processes in trouble: sandbox and daemon side by side, people at work over HTTP, and somebody with `kill`."""
