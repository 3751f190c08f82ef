"""Comparisons: what is booted (suite files), and the rounds of boots."""
