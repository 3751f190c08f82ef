"""One engine's process: its pipes, its console, its control channel, its figures."""
