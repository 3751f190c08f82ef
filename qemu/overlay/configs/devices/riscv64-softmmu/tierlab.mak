# What the riscv64 guests use: "virt" brings its UART, its test device (power-off
# with a status), RTC and virtio-mmio.
# "spike" is there for riscv-tests, which end by writing to its host interface; the
# other machines are for guests of others.
CONFIG_RISCV_VIRT=y
CONFIG_SPIKE=y
CONFIG_SIFIVE_E=y
CONFIG_SIFIVE_U=y
CONFIG_SHAKTI_C=y
CONFIG_MICROCHIP_PFSOC=y
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
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
