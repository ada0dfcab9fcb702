# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines with a kernel of their own, for what the nodes of the lab cannot have: NFS, FS-Cache, another
architecture. QEMU without KVM: right, and slow.
"""
