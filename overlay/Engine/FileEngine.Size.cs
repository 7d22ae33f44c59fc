using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>How long a file is whose <c>st_size</c> does not say it, for whoever may ask for its status, whether or not it may be opened.</summary>
internal sealed unsafe partial class FileEngine
{
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
        try
        {
            using Glimpse glimpse = new(this, fd, directory, path, atFlags);
            return glimpse.IsSealed ? glimpse.File.Length : glimpse.Status.Size;
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EACCES)
        {
            // Its mode shuts us out, or a policy gives this program no key: what the header says cannot be proved, but stat needs no right to read.
            return ClaimedSize(fd, directory, path, atFlags);
        }
    }

    private long ClaimedSize(int fd, int directory, byte* path, int atFlags)
    {
        bool follows = (atFlags & Kernel.StatusBuffer.NoFollow) == 0;
        int opened = OpenToLook(fd, directory, path, follows), error = Kernel.LastError;
        if (opened < 0 && error == Errno.EACCES)
            return fd >= 0 && TryReadClaim(fd, out long read) ? read : AskForSize(fd, directory, path, follows);
        if (opened < 0)
            throw new ErrnoException(error, "the file cannot be opened to look at it");
        try
        {
            return TryReadClaim(opened, out long size) ? size : throw new ErrnoException(Errno.EACCES, "no header, and no key");
        }
        finally
        {
            _ = Kernel.Close(opened);
        }
    }

    /// <summary>False: fd cannot be read, or shows no header.</summary>
    private static bool TryReadClaim(int fd, out long size)
    {
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        size = 0;
        fixed (byte* start = head)
            if (Kernel.PRead(fd, start, (nuint)head.Length, 0) != head.Length || FileHeader.Parse(head, out FileHeader header) != HeaderFault.Ok)
                return false;
            else
                size = header.Size;
        return true;
    }

    /// <summary>Others write a file that we may not open: 'ls' shows its size all the same.</summary>
    private long AskForSize(int fd, int directory, byte* path, bool follows)
    {
        int asked = fd >= 0 ? fd : Kernel.OpenAt(directory, path, Kernel.O_PATH | Kernel.O_CLOEXEC | (follows ? 0 : NoFollow), 0);
        if (asked < 0)
            throw KernelFile.Failure("the file cannot be looked at");
        try
        {
            long size = (FindByPath(KernelFile.PathOf(asked)) ?? _latest)?.SizeOf(asked) ?? -1;
            return size >= 0 ? size : throw new ErrnoException(Errno.EACCES, "neither this process nor the agent may open the file");
        }
        finally
        {
            if (fd < 0)
                _ = Kernel.Close(asked);
        }
    }
}
