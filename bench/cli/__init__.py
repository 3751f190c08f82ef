"""The command line: `python3 -m bench.cli`, called by the launcher."""
