include ../../tierlab-devices.mak
# The riscv64 guests use "virt", which brings its UART, its test device (power-off
# with a status), RTC and virtio-mmio. riscv-tests use "spike": they end by writing
# to its host interface. The other machines are for users' own guests.
CONFIG_RISCV_VIRT=y
CONFIG_SPIKE=y
CONFIG_SIFIVE_E=y
CONFIG_SIFIVE_U=y
CONFIG_SHAKTI_C=y
CONFIG_MICROCHIP_PFSOC=y
CONFIG_SEMIHOSTING=y
CONFIG_ARM_COMPATIBLE_SEMIHOSTING=y
