# The devices of every target: those that Tierlab's guests use ...
CONFIG_PVPANIC_PCI=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_9P=y
CONFIG_VIRTIO_RNG=y
# ... and other disks, cards and ports, which users' own guests may want.
CONFIG_VIRTIO_SCSI=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_BALLOON=y
CONFIG_NVME_PCI=y
CONFIG_E1000_PCI=y
CONFIG_PCI_TESTDEV=y
CONFIG_EDU=y
CONFIG_PCIE_PORT=y
# -device loader: [[load]] in a guest's description
CONFIG_GENERIC_LOADER=y
CONFIG_GUEST_LOADER=y
