"""Tests of the analysis, whose right answers are known."""
