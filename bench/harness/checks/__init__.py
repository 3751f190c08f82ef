"""Checks made of boots: a guest against itself, images, a long run, an idle guest."""
