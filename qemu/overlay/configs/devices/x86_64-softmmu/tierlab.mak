include ../../tierlab-devices.mak
# The x86 guests use "pc" with HPET, the timer that kernels prefer there, and
# "microvm" with virtio-mmio. "q35" is for users' own guests.
CONFIG_I440FX=y
CONFIG_Q35=y
CONFIG_VTD=y
CONFIG_MICROVM=y
CONFIG_HPET=y
CONFIG_ISA_DEBUG=y
CONFIG_PVPANIC_ISA=y
# Native QEMU's "pc" always has these devices, so machines that are saved there
# have them as well.
CONFIG_PARALLEL=y
CONFIG_FDC_ISA=y
CONFIG_VMPORT=y
CONFIG_VMMOUSE=y
