include ../../tierlab-devices.mak
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
