"""Bare-metal test images, one for each machine."""
