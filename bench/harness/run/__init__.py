"""One boot of a guest, and what its result says."""
