# What the x86 guests use: "pc" with the timer that kernels prefer there, and
# "microvm" with virtio-mmio. "q35" is for guests of others.
CONFIG_I440FX=y
CONFIG_Q35=y
CONFIG_VTD=y
CONFIG_MICROVM=y
CONFIG_HPET=y
CONFIG_ISA_DEBUG=y
CONFIG_PVPANIC_ISA=y
CONFIG_PVPANIC_PCI=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_9P=y
CONFIG_VIRTIO_RNG=y
# What guests of others have: other disks, cards and ports than ours.
CONFIG_VIRTIO_SCSI=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_BALLOON=y
CONFIG_NVME_PCI=y
CONFIG_E1000_PCI=y
CONFIG_PCI_TESTDEV=y
CONFIG_EDU=y
CONFIG_PCIE_PORT=y
# -device loader, which descriptions have as [[load]]
CONFIG_GENERIC_LOADER=y
CONFIG_GUEST_LOADER=y
# What "pc" has on native QEMU whether it is wanted or not: machines that are
# saved there have it, too.
CONFIG_PARALLEL=y
CONFIG_FDC_ISA=y
CONFIG_VMPORT=y
CONFIG_VMMOUSE=y
