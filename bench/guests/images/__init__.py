"""Images as guests' roots: `--image` (OCI, docker save) and `--root` (a folder).

    manifest.py   which image of a file: index, manifest, config, layers
    files.py      the files of a layout: a folder, or a tar archive
    streams.py    a layer's bytes: unpacked, counted, checked
    layers.py     layers to a tree, and the contents of the tree's files
    folder.py     the same for a folder of the host
    command.py    what is run: entrypoint, environment, folder, user
    store.py      disks in the cache, keyed by their contents
    root.py       a guest with such a disk as its root
    refusal.py    the error about a root for another architecture

bench.guests.disk has the tree and makes the disk. Nothing is ever extracted to the
host's file system. Names and links are resolved in the tree, so a link can lead nowhere
else, and mke2fs gets one tar stream.
"""
