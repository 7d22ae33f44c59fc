using System;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Ctl.Data;

/// <summary>
/// A plain file that is about to be copied. A lease keeps writers away meanwhile: the kernel grants it only if nobody has the file open for
/// writing (or mapped so), and lets nobody open it so without telling. Where there are no leases (some file systems; files of others, without
/// CAP_LEASE) the file's times must do.
/// </summary>
internal sealed unsafe class PlainSource : IDisposable
{
    /// <summary>Is ignored by default, unlike the SIGIO that the kernel would send when somebody wants to write.</summary>
    private const int SIGURG = 23;

    private readonly int _fd;
    private readonly bool _hasLease;

    private PlainSource(int fd, bool wantsLease)
    {
        _fd = fd;
        Status = Tree.StatusOf(fd);
        if (!wantsLease)
            return;
        _ = Calls.Control(fd, Calls.SetSignal, SIGURG);
        _hasLease = Calls.Control(fd, Calls.SetLease, Calls.ReadLease) == 0;
        if (!_hasLease && Calls.LastError == Errno.EAGAIN)
            throw new ErrnoException(Errno.EBUSY, "a program has it open for writing; stop that program, then start the import again");
        // Taken before anything is read: what was changed earlier is seen, what is changed later is noticed.
        Status = Tree.StatusOf(fd);
    }

    internal NodeStatus Status { get; }

    internal int Descriptor => _fd;

    /// <param name="wantsLease">The copy is going to take its place.</param>
    internal static PlainSource Open(Tree tree, byte[] path, bool wantsLease)
    {
        int flags = Calls.ReadOnly | Calls.NoFollow | Calls.NonBlocking | Calls.CloseOnExec;
        int directory = tree.ParentOf(path);
        // Only the owner may leave the access time as it is.
        int fd = Calls.OpenAt(directory, Tree.NameOf(path), flags | Calls.NoAccessTime, 0);
        if (fd < 0 && Calls.LastError == Errno.EPERM)
            fd = Calls.OpenAt(directory, Tree.NameOf(path), flags, 0);
        if (fd < 0)
            throw Tree.Failure("it cannot be opened");
        try
        {
            return new PlainSource(fd, wantsLease);
        }
        catch
        {
            _ = Calls.Close(fd);
            throw;
        }
    }

    /// <summary>Nobody has written since it was opened, nor waits for being let in to write.</summary>
    internal bool IsUnchanged => Tree.StatusOf(_fd).HasContentOf(Status) && (!_hasLease || Calls.Control(_fd, Calls.GetLease, 0) == Calls.ReadLease);

    /// <summary>Asked now and then while a large file is being copied: whoever wants to write it waits, and should not for long.</summary>
    /// <exception cref="ErrnoException">EBUSY: somebody does; the copy is to be given up.</exception>
    internal void CheckStillOurs()
    {
        if (_hasLease && Calls.Control(_fd, Calls.GetLease, 0) != Calls.ReadLease)
            throw new ErrnoException(Errno.EBUSY, "a program opened it for writing while it was being sealed; start the import again when it is done");
    }

    internal int Read(long offset, Span<byte> buffer) => Interop.KernelFile.Read(_fd, offset, buffer);

    /// <summary>The next part that is no hole. False: none is left.</summary>
    internal bool TryNextData(long offset, out long start, out long end)
    {
        end = Status.Size;
        start = Interop.Kernel.Seek(_fd, offset, Interop.Kernel.SEEK_DATA);
        if (start < 0 && Interop.Kernel.LastError == Errno.EINVAL)
            start = offset; // a file system without holes
        else if (start >= 0)
            end = Math.Min(Status.Size, Interop.Kernel.Seek(_fd, start, Interop.Kernel.SEEK_HOLE));
        else if (Interop.Kernel.LastError != Errno.ENXIO)
            throw Tree.Failure("its holes cannot be found");
        return start >= 0 && start < Status.Size && end > start;
    }

    public void Dispose() => _ = Calls.Close(_fd);
}
