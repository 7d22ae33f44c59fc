using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>The backing file: what <see cref="SealedFile"/> asks of it, and what the program must not notice of that.</summary>
internal sealed partial class OpenFile
{
    public long Length => KernelFile.Status(_fd).Size;

    public bool HearsOfReads => Kernel.IsFree;

    public void WillRead(long offset, long length) => KernelFile.WillRead(_fd, offset, length);

    public bool HasRoom(long offset, long length) => !Kernel.IsFree || KernelFile.HasRoom(_fd, offset, length);

    public int Read(long offset, Span<byte> buffer)
    {
        BecomeReadable();
        try
        {
            return KernelFile.Read(_fd, offset, buffer, _endAtOpen);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EINVAL && !_isOwn)
        {
            StayFit(); // it was O_DIRECT by now
            return KernelFile.Read(_fd, offset, buffer);
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        StayFit();
        long end = offset + data.Length;
        if (!FileSizeLimit.IsExceeded(end))
        {
            try
            {
                KernelFile.Write(_fd, offset, data);
                return;
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.EFBIG && FileSizeLimit.WasLowered(end))
            {
                // Once more, from the start: a part may have been written.
            }
        }
        using (FileSizeLimit.Lift(end))
            KernelFile.Write(_fd, offset, data);
    }

    public void SetLength(long length)
    {
        try
        {
            SetLengthWithin(length);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EACCES && TryExchange())
        {
            // Opened inside a sandbox (Landlock), a descriptor may write but not change the length.
            SetLengthWithin(length);
        }
    }

    private void SetLengthWithin(long length)
    {
        if (!FileSizeLimit.IsExceeded(length))
        {
            try
            {
                KernelFile.SetLength(_fd, length);
                return;
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.EFBIG && FileSizeLimit.WasLowered(length))
            {
                // Once more.
            }
        }
        using (FileSizeLimit.Lift(length))
            KernelFile.SetLength(_fd, length);
    }

    public void PunchHole(long offset, long length) => KernelFile.PunchHole(_fd, offset, length);

    public void Sync(bool dataOnly) => KernelFile.Sync(_fd, dataOnly);

    public bool TryAllowWriting()
    {
        lock (_flagsByDescriptor)
        {
            try
            {
                if (!_canWrite)
                    UseOrReopen(_fd, Kernel.O_RDONLY, mustWrite: true);
                return true;
            }
            catch (ErrnoException)
            {
                return false;
            }
        }
    }

    /// <summary>The program may have set times and rights just before a close or a sync (cp -p, tar, xz).</summary>
    public void Quietly(Action change)
    {
        _ = FileSizeLimit.Read();
        Kernel.StatusBuffer before = KernelFile.Status(_fd);
        Span<byte> capability = stackalloc byte[LongestCapability];
        capability = capability[..ReadCapability(before, capability)];
        change();
        RestorePrivileges(before, capability);
        RestoreTimes(before);
    }

    public void KeepingRights(Action change)
    {
        Kernel.StatusBuffer before = KernelFile.Status(_fd);
        Span<byte> capability = stackalloc byte[LongestCapability];
        capability = capability[..ReadCapability(before, capability)];
        change();
        RestorePrivileges(before, capability);
    }

    internal unsafe void RestoreTimes(in Kernel.StatusBuffer before)
    {
        Kernel.StatusBuffer after = KernelFile.Status(_fd);
        if (after.Modified.Seconds == before.Modified.Seconds && after.Modified.Nanoseconds == before.Modified.Nanoseconds)
            return;
        Kernel.TimeSpec* times = stackalloc Kernel.TimeSpec[2];
        times[0] = new Kernel.TimeSpec { Seconds = before.Accessed.Seconds, Nanoseconds = before.Accessed.Nanoseconds };
        times[1] = new Kernel.TimeSpec { Seconds = before.Modified.Seconds, Nanoseconds = before.Modified.Nanoseconds };
        // Only the owner may set times; another writer's file then says when it was closed.
        if (Kernel.SetTimes(_fd, times) != 0 && Kernel.LastError is not (Errno.EPERM or Errno.EACCES))
            throw KernelFile.Failure("the file's times cannot be kept");
    }

    /// <summary>Would the kernel let the program's own descriptor change the length? Ours may be allowed more, in a sandbox.</summary>
    internal void CheckMayTruncate(int fd) => KernelFile.Check(Kernel.SetLength(fd, Length), "the file's length may not be changed");

    internal void SetMode(uint mode) => KernelFile.Check(Kernel.ChangeMode(_fd, mode), "marking the file as sealed failed");

    /// <summary>What O_DIRECT asks of memory and of offsets on this file system; 1 where it does not say (before Linux 6.1), or asks nothing.</summary>
    internal unsafe (uint Memory, uint Offset) DirectAlignment
    {
        get
        {
            if (_directAlignment.Memory == 0)
            {
                Kernel.StatusBuffer status = default;
                byte empty = 0;
                bool isKnown = Kernel.Status(_fd, &empty, Kernel.StatusBuffer.EmptyPath, Kernel.StatusBuffer.DirectAlignment, &status) == 0 &&
                    (status.Mask & Kernel.StatusBuffer.DirectAlignment) != 0;
                _directAlignment = isKnown ? (Math.Max(status.DirectMemoryAlignment, 1), Math.Max(status.DirectOffsetAlignment, 1)) : (1, 1);
            }
            return _directAlignment;
        }
    }
}
