using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>lseek, truncation, allocation, fsync, sizes.</summary>
internal sealed unsafe partial class FileEngine
{
    internal long Seek(int fd, long offset, int whence)
    {
        using Operation operation = Begin(fd);
        SealedFile file = operation.File.File;
        long target = whence switch
        {
            Kernel.SEEK_END => file.Length + offset,
            Kernel.SEEK_DATA => file.SeekData(offset),
            Kernel.SEEK_HOLE => file.SeekHole(offset),
            _ => throw new ErrnoException(Errno.EINVAL, "unknown whence"),
        };
        if (target < 0)
            throw new ErrnoException(whence == Kernel.SEEK_END ? Errno.EINVAL : Errno.ENXIO, "no such offset");
        SetOffset(fd, target);
        return target;
    }

    internal long SetLength(int fd, long length)
    {
        using Operation operation = Begin(fd);
        if (length < 0 || (operation.Flags & Kernel.O_ACCMODE) == Kernel.O_RDONLY)
            throw new ErrnoException(Errno.EINVAL, "not open for writing, or a negative length");
        SetLength(operation.File, fd, length);
        return 0;
    }

    /// <summary>1 and <paramref name="result"/>, or 0: the file is not ours.</summary>
    internal long Truncate(byte* path, long length, long* result)
    {
        if (TryTruncateOpen(path, length))
        {
            *result = 0;
            return 1;
        }
        int fd = Kernel.OpenAt(Kernel.CurrentDirectory, path, Kernel.O_RDWR | Kernel.O_CLOEXEC | Kernel.O_NONBLOCK, 0);
        if (fd < 0)
        {
            *result = -Kernel.LastError;
            return 1;
        }
        long attached = 0;
        try
        {
            attached = Attach(fd, AttachFlags.Opened);
            if (attached != 0)
                *result = SetLength(fd, length);
            return attached;
        }
        finally
        {
            if (attached != 0)
                Detach(fd);
            _ = Kernel.Close(fd);
        }
    }

    /// <summary>
    /// An inode that the program has open is not opened and closed again: its POSIX locks would be gone (design §5).
    /// </summary>
    private bool TryTruncateOpen(byte* path, long length)
    {
        const int MayWrite = 2;
        Kernel.StatusBuffer status;
        if (Kernel.Status(Kernel.CurrentDirectory, path, 0, Kernel.StatusBuffer.Basic, &status) != 0)
            return false;
        OpenFile? known = _table.Begin(status.Device, status.Inode);
        if (known is null)
            return false;
        using Operation operation = new(known, 0);
        KernelFile.Check(Kernel.Access(Kernel.CurrentDirectory, path, MayWrite, 0), "not writable");
        lock (_attachGate)
        {
            if (!known.CanWrite)
                known.UseOrReopen(known.Descriptor, Kernel.O_RDONLY, mustWrite: true);
        }
        SetLength(known, known.Descriptor, length);
        return true;
    }

    internal long Allocate(int fd, int mode, long offset, long length)
    {
        using Operation operation = Begin(fd, isWriting: true);
        SealedFile file = operation.File.File;
        if (offset < 0 || length <= 0)
            throw new ErrnoException(Errno.EINVAL, "a negative offset, or no length");
        if (offset > SealedFile.GreatestSize - length)
            throw new ErrnoException(Errno.EFBIG, "the file would be too large");
        const int Punch = Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE;
        bool keepsSize = (mode & Kernel.FALLOC_FL_KEEP_SIZE) != 0;
        bool zeroes = mode == Punch || (mode & ~Kernel.FALLOC_FL_KEEP_SIZE) == Kernel.FALLOC_FL_ZERO_RANGE;
        if (!zeroes && (mode & ~Kernel.FALLOC_FL_KEEP_SIZE) != 0)
            throw new ErrnoException(Errno.EOPNOTSUPP, "this kind of allocation is not supported on sealed files");
        _ = FileSizeLimit.Read();
        file.EnterWrite();
        try
        {
            if (zeroes)
                file.PunchHole(offset, length);
            if (!keepsSize && offset + length > file.CurrentLength)
            {
                CheckRoom(offset + length - 1, 1);
                file.SetLength(offset + length);
            }
        }
        finally
        {
            file.ExitWrite();
        }
        return 0;
    }

    internal long Sync(int fd, bool dataOnly)
    {
        using Operation operation = Begin(fd);
        _ = FileSizeLimit.Read();
        if (operation.File.CanWrite)
            operation.File.File.Sync(dataOnly);
        else
            operation.File.Sync(dataOnly); // nothing of ours to write; others' writes are in the kernel's hands
        return 0;
    }

    /// <summary>The logical size, for a stat of a file whose <c>st_size</c> does not say it.</summary>
    internal long Size(int fd, int directory, byte* path, int atFlags, ulong device, ulong inode)
    {
        // A file that the program has open is never opened and closed by us: its POSIX locks would be gone (design §5).
        OpenFile? known = _table.Begin(device, inode);
        if (known is not null)
        {
            using Operation operation = new(known, 0);
            return known.File.Length;
        }
        const int NoFollow = 0x20000;
        int own = fd >= 0
            ? KernelFile.Reopen(fd, Kernel.O_RDONLY)
            : Kernel.OpenAt(directory, path, Kernel.O_CLOEXEC | Kernel.O_NONBLOCK | ((atFlags & Kernel.StatusBuffer.NoFollow) != 0 ? NoFollow : 0), 0);
        if (own < 0)
            throw KernelFile.Failure("the file cannot be opened to read its size");
        OpenFile file = new(device, inode, ReopenByAgent);
        try
        {
            Kernel.StatusBuffer status = KernelFile.Status(own);
            return TryOpen(file, own, Kernel.O_RDONLY, status, 0) ? file.File.Length : status.Size;
        }
        finally
        {
            file.Close();
            _ = Kernel.Close(own);
        }
    }

    private static void SetLength(OpenFile openFile, int fd, long length)
    {
        SealedFile file = openFile.File;
        file.EnterWrite();
        try
        {
            openFile.CheckMayTruncate(fd);
            if (length > file.CurrentLength)
                CheckRoom(length - 1, 1);
            else
                _ = FileSizeLimit.Read();
            file.SetLength(length);
        }
        finally
        {
            file.ExitWrite();
        }
    }

    /// <summary>An operation that the descriptor's mode does not decide.</summary>
    private Operation Begin(int fd)
    {
        OpenFile file = _table.Begin(fd) ?? throw new ErrnoException(Errno.EBADF, "not an open sealed file");
        return new Operation(file, file.FlagsOf(fd));
    }
}
