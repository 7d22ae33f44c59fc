using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>lseek, truncation, allocation, fsync, and looks at files that are not open.</summary>
internal sealed unsafe partial class FileEngine
{
    private const int NoFollow = 0x20000;

    internal long Seek(int fd, long offset, int whence)
    {
        using Operation operation = Begin(fd);
        SealedFile file = operation.File.File;
        // What was written into a hole by mapping is data.
        if (whence is Kernel.SEEK_DATA or Kernel.SEEK_HOLE)
            Seal(operation.File, 0, long.MaxValue);
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
        if (length < 0 || !AccessMode.MayWrite(operation.Flags))
            throw new ErrnoException(Errno.EINVAL, "not open for writing, or a negative length");
        SetLength(operation.File, fd, length);
        return 0;
    }

    /// <summary>1 and <paramref name="result"/>, or 0: the file is not ours.</summary>
    internal long Truncate(byte* path, long length, long* result)
    {
        if (length < 0)
        {
            *result = -Errno.EINVAL;
            return 1;
        }
        if (TryTruncateOpen(path, length))
        {
            *result = 0;
            return 1;
        }
        const int Quietly = Kernel.O_CLOEXEC | Kernel.O_NONBLOCK;
        int fd = Kernel.OpenAt(Kernel.CurrentDirectory, path, Kernel.O_RDWR | Quietly, 0);
        if (fd < 0 && Kernel.LastError == Errno.EACCES)
            fd = Kernel.OpenAt(Kernel.CurrentDirectory, path, Kernel.O_WRONLY | Quietly, 0); // the right to write is enough
        if (fd < 0)
        {
            *result = -Kernel.LastError;
            return 1;
        }
        long attached = 0;
        try
        {
            attached = Attach(fd, AttachFlags.Opened, OpenedFile.Ask(fd));
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
        Kernel.StatusBuffer status;
        if (Kernel.Status(Kernel.CurrentDirectory, path, 0, Kernel.StatusBuffer.Basic, &status) != 0)
            return false;
        OpenFile? known = _table.Begin(status.Device, status.Inode);
        if (known is null)
            return false;
        using Operation operation = new(known, 0);
        KernelFile.Check(Kernel.Access(Kernel.CurrentDirectory, path, Kernel.W_OK, Kernel.AT_EACCESS), "not writable");
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
        using Operation operation = Begin(fd);
        // In the kernel's order: what is wrong with the arguments comes first.
        if (offset < 0 || length <= 0)
            throw new ErrnoException(Errno.EINVAL, "a negative offset, or no length");
        const int Punch = Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE;
        bool keepsSize = (mode & Kernel.FALLOC_FL_KEEP_SIZE) != 0;
        bool zeroes = mode == Punch || (mode & ~Kernel.FALLOC_FL_KEEP_SIZE) == Kernel.FALLOC_FL_ZERO_RANGE;
        if (!zeroes && (mode & ~Kernel.FALLOC_FL_KEEP_SIZE) != 0)
            throw new ErrnoException(Errno.EOPNOTSUPP, "this kind of allocation is not supported on sealed files");
        if (!AccessMode.MayWrite(operation.Flags))
            throw new ErrnoException(Errno.EBADF, "not open for writing");
        if (offset > SealedFile.GreatestSize - length)
            throw new ErrnoException(Errno.EFBIG, "the file would be too large");
        operation.File.CheckKey(isOpening: false);
        _ = FileSizeLimit.Read();
        using LiveWrite entered = LiveWrite.Enter(operation.File);
        if (zeroes)
            entered.PunchHole(offset, length);
        if (!keepsSize && offset + length > entered.Length)
        {
            CheckRoom(offset + length - 1, 1);
            entered.SetLength(offset + length);
        }
        else
            entered.SetLength(entered.Length); // what is punched may be a hole already, or lie behind the end: the times, and set-id bits
        return 0;
    }

    /// <summary>sync_file_range: where the range lies on disk. Who asks for more than two groups gets the whole file.</summary>
    internal long SyncRange(int fd, long offset, long length, uint flags)
    {
        using Operation operation = Begin(fd);
        Geometry geometry = operation.File.File.Geometry;
        long end = offset + length, firstGroup = offset / geometry.GroupSize, lastGroup = (end - 1) / geometry.GroupSize;
        if (length == 0 || lastGroup - firstGroup > 1)
        {
            KernelFile.Check(Kernel.SyncRange(fd, 0, 0, flags), "writing out the backing file failed");
            return 0;
        }
        Span<(long Offset, long Length)> ranges = stackalloc (long, long)[4];
        for (long group = firstGroup; group <= lastGroup; group++)
        {
            long from = Math.Max(offset, group * geometry.GroupSize), to = Math.Min(end, (group + 1) * geometry.GroupSize);
            geometry.StoredRanges(group, from, to - from, ranges);
            foreach ((long stored, long count) in ranges)
                KernelFile.Check(Kernel.SyncRange(fd, stored, count, flags), "writing out the backing file failed");
        }
        return 0;
    }

    internal long Sync(int fd, bool dataOnly)
    {
        using Operation operation = Begin(fd);
        _ = FileSizeLimit.Read();
        if (operation.File.CanWrite)
        {
            Seal(operation.File, 0, long.MaxValue);
            operation.File.SyncSealed(dataOnly);
        }
        else
            operation.File.Sync(dataOnly); // nothing of ours to write; others' writes are in the kernel's hands
        return 0;
    }

    private static int OpenToLook(int fd, int directory, byte* path, bool follows)
    {
        return fd >= 0 ? KernelFile.Reopen(fd, Kernel.O_RDONLY) : Kernel.OpenAt(directory, path, Kernel.O_CLOEXEC | Kernel.O_NONBLOCK | (follows ? 0 : NoFollow), 0);
    }

    /// <summary>The first bytes of a file that is about to be executed: the kernel would execute ciphertext.</summary>
    internal long Peek(int fd, int directory, byte* path, int atFlags, byte* buffer, ulong size)
    {
        Span<byte> target = new(buffer, (int)Math.Min(size, int.MaxValue));
        Kernel.StatusBuffer status = fd >= 0 ? KernelFile.Status(fd) : StatusOf(directory, path, atFlags);
        OpenFile? known = _table.Begin(status.Device, status.Inode);
        if (known is not null)
        {
            using Operation operation = new(known, 0);
            return ReadAll(known.File, target);
        }
        using Glimpse glimpse = new(this, fd, directory, path, atFlags);
        return glimpse.IsSealed ? ReadAll(glimpse.File, target) : KernelFile.Read(glimpse.Descriptor, 0, target);
    }

    /// <summary>
    /// A linker that has mapped its output is gone, but the keeper still has the file open for writing: asked for a look at the pages, it
    /// seals what differs and lets go of what nobody maps.
    /// </summary>
    internal long ReleasePages(int fd, int directory, byte* path, int atFlags)
    {
        using Glimpse glimpse = new(this, fd, directory, path, atFlags);
        if (glimpse.IsSealed)
            glimpse.Open.TakePages(out _)?.Release();
        return 0;
    }

    /// <summary>A read ends in front of a damaged block, and the next one fails: half a program must not run.</summary>
    private static int ReadAll(SealedFile file, Span<byte> target)
    {
        int done = 0;
        for (int count = 1; count > 0 && done < target.Length; done += count)
            count = file.Read(done, target[done..]);
        return done;
    }

    private static Kernel.StatusBuffer StatusOf(int directory, byte* path, int atFlags)
    {
        Kernel.StatusBuffer status;
        KernelFile.Check(
            Kernel.Status(directory, path, atFlags & Kernel.StatusBuffer.NoFollow, Kernel.StatusBuffer.Basic, &status), "stat failed");
        return status;
    }

    /// <summary>A file that is opened for one look, and not remembered.</summary>
    private readonly ref struct Glimpse
    {
        private readonly OpenFile _file;

        internal Glimpse(FileEngine engine, int fd, int directory, byte* path, int atFlags)
        {
            Descriptor = OpenToLook(fd, directory, path, follows: (atFlags & Kernel.StatusBuffer.NoFollow) == 0);
            if (Descriptor < 0)
                throw KernelFile.Failure("the file cannot be opened to look at it");
            try
            {
                Status = KernelFile.Status(Descriptor);
                OpenedFile opened = OpenedFile.Of(Status, Kernel.O_RDONLY);
                _file = new OpenFile(opened, engine._settings.CountForks, engine.ReopenByAgent);
                IsSealed = engine.TryOpen(_file, Descriptor, Kernel.O_RDONLY, opened, 0);
            }
            catch
            {
                _file?.Close();
                _ = Kernel.Close(Descriptor);
                throw;
            }
        }

        internal int Descriptor { get; }

        internal Kernel.StatusBuffer Status { get; }

        internal bool IsSealed { get; }

        internal OpenFile Open => _file;

        internal SealedFile File => _file.File;

        internal void Dispose()
        {
            _file.Close();
            _ = Kernel.Close(Descriptor);
        }
    }

    private static void SetLength(OpenFile file, int fd, long length)
    {
        using LiveWrite entered = LiveWrite.Enter(file);
        file.CheckMayTruncate(fd);
        if (length > entered.Length)
            CheckRoom(length - 1, 1);
        else
            _ = FileSizeLimit.Read();
        entered.SetLength(length);
    }

    /// <summary>An operation that the descriptor's mode does not decide.</summary>
    private Operation Begin(int fd)
    {
        OpenFile file = _table.Begin(fd) ?? throw new ErrnoException(Errno.EBADF, "not an open sealed file");
        return new Operation(file, file.FlagsOf(fd));
    }
}
