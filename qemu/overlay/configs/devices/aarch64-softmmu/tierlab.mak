include ../../tierlab-devices.mak
# The aarch64 guests use "virt", and "raspi3ap", which has no virtio.
CONFIG_ARM_VIRT=y
CONFIG_RASPI=y
# RASPI uses these two and does not select them.
CONFIG_OR_IRQ=y
CONFIG_UNIMP=y
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
