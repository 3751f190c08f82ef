"""Machines that are saved to a file and resumed from it."""
