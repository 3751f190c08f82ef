include ../../tierlab-devices.mak
# What the x86 guests use: "pc" with the timer that kernels prefer there, and
# "microvm" with virtio-mmio. "q35" is for guests of others.
CONFIG_I440FX=y
CONFIG_Q35=y
CONFIG_VTD=y
CONFIG_MICROVM=y
CONFIG_HPET=y
CONFIG_ISA_DEBUG=y
CONFIG_PVPANIC_ISA=y
# What "pc" has on native QEMU whether it is wanted or not: machines that are
# saved there have it, too.
CONFIG_PARALLEL=y
CONFIG_FDC_ISA=y
CONFIG_VMPORT=y
CONFIG_VMMOUSE=y
