"""Disks that hold a root: a tree of names in memory, put together from tar archives.

    tree.py       the root as names and inodes
    archives.py   members of archives to the tree, and the contents of its files
    members.py    the members of a tar archive that is read once
    ext4.py       a tree to a disk, by mke2fs
    limits.py     how much a root may be
    refusal.py    why something cannot be a root

Images (bench.guests.images) and Debian packages (bench.guests.roots) become disks here.
Nothing is ever extracted to the host's file system, and nobody has to be root: names,
links, owners and times of an archive are data, whoever wrote the archive.
"""
