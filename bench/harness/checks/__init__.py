"""Checks that boot guests: one guest, many images, a long run, an idle guest."""
