"""Tests of the harness, the engine drivers and the command line."""
