"""Other emulators that run in the same engine, to be compared with."""
