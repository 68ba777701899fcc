//! Which file systems answer at once.

use std::fs::File;

/// Whether a file is on a file system that the kernel of this machine keeps by itself. Others wait
/// for a process or a network whenever a path is looked at, and those may never answer.
#[cfg(target_os = "linux")]
pub fn is_of_this_machine(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|found| {
        u32::try_from(found.f_type).is_ok_and(|kind| OF_THIS_MACHINE.contains(&kind))
    })
}

/// Whether a file is on a file system that the kernel of this machine keeps by itself.
#[cfg(not(target_os = "linux"))]
pub fn is_of_this_machine(_file: &File) -> bool {
    true
}

/// The magic numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
const OF_THIS_MACHINE: [u32; 15] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0xca45_1a4e, // bcachefs
    0xf2f5_2010, // f2fs
    0x2fc1_2fc1, // zfs
    0x794c_7630, // overlayfs
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x7371_7368, // squashfs
    0xe0f5_e1e2, // erofs
    0x9660,      // iso9660
    0x4d44,      // vfat
    0x2011_bab0, // exfat
    0x7366_746e, // ntfs3
];
