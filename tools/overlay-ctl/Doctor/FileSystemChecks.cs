using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Overlay.Format;
using Overlay.Interop;

namespace Overlay.Ctl.Doctor;

/// <summary>Tries, with a small file that is removed again, what sealed files need of a file system.</summary>
internal static unsafe class FileSystemChecks
{
    private const int StatusWords = 15, Type = 0, BlockSize = 1, Blocks = 2, Available = 4, Inodes = 5, FreeInodes = 6, Flags = 10;
    private const long ReadOnlyFlag = 1, LittleSpace = 100 << 20;

    private static readonly Dictionary<long, string> s_names = new()
    {
        [0xEF53] = "ext4", [0x58465342] = "xfs", [0x9123683E] = "btrfs", [0x01021994] = "tmpfs", [0x794C7630] = "overlayfs", [0x2FC12FC1] = "zfs",
        [0xF2F52010] = "f2fs", [0x6969] = "nfs", [0xFF534D42] = "cifs", [0xFE534D42] = "smb", [0x65735546] = "fuse", [0x01021997] = "9p",
        [0x00C36400] = "ceph", [0x4D44] = "vfat", [0x2011BAB0] = "exfat", [0xCA451A4E] = "bcachefs", [0x858458F6] = "ramfs",
    };

    private static readonly HashSet<string> s_shared = ["nfs", "cifs", "smb", "fuse", "9p", "ceph"];

    internal static void Run(CheckList checks, string directory)
    {
        int folder = KernelFile.Open(Kernel.CurrentDirectory, directory, Kernel.O_RDONLY | Kernel.O_DIRECTORY);
        if (folder < 0)
        {
            checks.Fail("file-system", $"{directory} cannot be opened (errno {Kernel.LastError})", "its owner alone can use it; run this as that user");
            return;
        }
        long* status = stackalloc long[StatusWords];
        _ = Kernel.FileSystemStatus(folder, status);
        _ = Kernel.Close(folder);
        CheckType(checks, status[Type]);
        CheckSpace(checks, status);
        if ((status[Flags] & ReadOnlyFlag) != 0 || Native.Access(directory, Native.MayWrite) != 0)
        {
            checks.Warn("writing", "read-only here", "mount it writable, or be another user; programs can only read, and what writing needs was not checked");
            return;
        }
        checks.Ok("writing", "allowed");
        TryWithFile(checks, directory);
    }

    private static void CheckType(CheckList checks, long type)
    {
        string name = s_names.TryGetValue(type, out string? known) ? known : $"type 0x{type:x}";
        if (s_shared.Contains(name))
            checks.Warn("file-system", name, "let one machine at a time use the volume: what programs know of each other's writes is shared memory");
        else
            checks.Ok("file-system", name);
    }

    private static void CheckSpace(CheckList checks, long* status)
    {
        long available = status[Available] * status[BlockSize];
        string finding = $"{(available >> 20).ToString(CultureInfo.InvariantCulture)} MiB free";
        if (status[Blocks] > 0 && available < LittleSpace)
            checks.Warn("space", finding, "free some: a write needs room for a second version of a block");
        else if (status[Inodes] > 0 && status[FreeInodes] == 0)
            checks.Warn("space", "no inode is free", "delete files: no new one can be made");
        else
            checks.Ok("space", finding);
    }

    private static void TryWithFile(CheckList checks, string directory)
    {
        const uint Mode = 0x180;
        string path = Path.Combine(directory, $"doctor.{Environment.ProcessId}");
        int fd = KernelFile.Open(Kernel.CurrentDirectory, path, Kernel.O_RDWR | Kernel.O_CREAT, Mode);
        if (fd < 0)
        {
            checks.Fail("new-files", $"a file cannot be made in {directory} (errno {Kernel.LastError})", "see what the error says: quota, space, permissions");
            return;
        }
        try
        {
            CheckMark(checks, fd, Mode);
            CheckHoles(checks, fd);
            CheckFarPlaces(checks, fd);
            CheckLocks(checks, fd);
            CheckMapping(checks, fd);
            CheckAttributes(checks, fd);
        }
        finally
        {
            _ = Kernel.Close(fd);
            File.Delete(path);
        }
    }

    private static void CheckMark(CheckList checks, int fd, uint mode)
    {
        bool isKept = Kernel.ChangeMode(fd, mode | FormatConstants.SealedModeBit) == 0 && (KernelFile.Status(fd).Mode & FormatConstants.SealedModeBit) != 0;
        if (isKept)
            checks.Ok("mark", "the sticky bit of a file is kept");
        else
            checks.Fail("mark", "the sticky bit of a file is not kept", "use a file system with Unix permissions: the bit marks sealed files");
    }

    private static void CheckHoles(CheckList checks, int fd)
    {
        const int Size = 256 << 10;
        KernelFile.Write(fd, 0, new byte[Size]);
        KernelFile.Sync(fd, dataOnly: false);
        long before = KernelFile.Status(fd).AllocatedBytes;
        bool isPunched = Kernel.Allocate(fd, Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE, 0, Size) == 0;
        if (isPunched && KernelFile.Status(fd).AllocatedBytes < before)
            checks.Ok("holes", "punching a hole frees space");
        else
            checks.Warn("holes", "punching a hole frees no space", "use ext4, xfs, btrfs or tmpfs: what is written over keeps its space here");
    }

    private static void CheckFarPlaces(CheckList checks, int fd)
    {
        const long Far = 1L << 40;
        const string Consequence = "or expect that files reach a quarter of the largest size: places of blocks lie apart";
        ulong limit = SystemChecks.Limit(Native.LimitOfFileSize);
        if (limit < (ulong)Far) // trying it would be SIGXFSZ
            checks.Warn("large-files", $"a file may have {limit} bytes", $"raise the limit (ulimit -f), {Consequence}");
        else if (Kernel.SetLength(fd, Far) != 0)
            checks.Warn("large-files", $"a sparse file of 1 TiB is refused (errno {Kernel.LastError})", $"use a file system with larger files, {Consequence}");
        else
            checks.Ok("large-files", "a sparse file may reach 1 TiB");
        _ = Kernel.SetLength(fd, 0);
    }

    private static void CheckLocks(CheckList checks, int fd)
    {
        if (SystemChecks.TryLock(fd))
            checks.Ok("locks", "open file description locks work");
        else
            checks.Fail("locks", $"F_OFD_SETLK: errno {Kernel.LastError}", "mount it with locks (nfs: without nolock, with lockd)");
    }

    private static void CheckMapping(CheckList checks, int fd)
    {
        const nuint Page = 4096;
        _ = Kernel.SetLength(fd, (long)Page);
        nint at = Kernel.Map(0, Page, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_SHARED, fd, 0);
        if (at == -1)
        {
            checks.Fail("shared-memory", $"mmap: errno {Kernel.LastError}", "use a file system whose files can be mapped shared: the coherence table is one");
            return;
        }
        *(byte*)at = 1;
        _ = Kernel.Unmap(at, Page);
        checks.Ok("shared-memory", "files can be mapped shared");
    }

    private static void CheckAttributes(CheckList checks, int fd)
    {
        byte value = 1;
        if (Native.SetAttribute(fd, "user.overlay", &value, 1, 0) == 0)
            checks.Ok("attributes", "extended attributes work");
        else
            checks.Warn("attributes", $"setxattr: errno {Kernel.LastError}", "mount it with user_xattr, if programs want extended attributes; Overlay needs none");
    }
}
