"""How an unmodified QEMU becomes ours: recipes; patches and overlay."""
