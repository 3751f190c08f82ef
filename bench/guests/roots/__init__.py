"""Root file systems of guests: what is in them, and the disks that hold them."""
