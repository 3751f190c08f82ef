"""The recipe of tier-list; the library itself is C."""
