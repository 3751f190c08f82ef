# What the riscv64 guests use, and nothing else. The machine brings its UART, its
# test device (power-off with a status), RTC and virtio-mmio.
# "spike" is there for riscv-tests, which end by writing to its host interface.
CONFIG_RISCV_VIRT=y
CONFIG_SPIKE=y
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
CONFIG_PVPANIC_PCI=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_9P=y
CONFIG_VIRTIO_RNG=y
