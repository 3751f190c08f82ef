"""Result files in, statistics and tables out.  This package knows nothing of QEMU."""
