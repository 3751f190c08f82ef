"""Everything that runs guests: set-up, engines, harness, command line."""
