"""Result files in, statistics and tables out.  Knows nothing of QEMU."""
