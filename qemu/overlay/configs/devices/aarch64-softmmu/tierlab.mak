include ../../tierlab-devices.mak
# What the aarch64 guests use: "virt", and "raspi3ap", which has no virtio.
CONFIG_ARM_VIRT=y
CONFIG_RASPI=y
# which RASPI has and does not name
CONFIG_OR_IRQ=y
CONFIG_UNIMP=y
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
