"""Tests of the analysis, with answers known beforehand."""
