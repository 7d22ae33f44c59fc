using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Ctl;

/// <summary>A backing file as it lies on disk. Lines that the engine would log are kept.</summary>
internal sealed class RawFile : IBackingFile, IExtentMap, IFaultLog, IDisposable
{
    private const int NoSuchOffset = Errno.ENXIO;
    private const int CreateNew = Kernel.O_RDWR | Kernel.O_CREAT | 0x80; // O_EXCL
    private const uint OwnerOnly = 0x180;

    private readonly int _fd;
    private readonly bool _canWrite;
    private readonly List<string> _lines = [];
    private readonly Kernel.StatusBuffer _before;

    /// <exception cref="ErrnoException">It cannot be opened, or is not a regular file.</exception>
    internal RawFile(string path, bool canWrite = false)
        : this(path, (canWrite ? Kernel.O_RDWR : Kernel.O_RDONLY) | Kernel.O_NONBLOCK)
    {
    }

    private RawFile(string path, int flags)
    {
        FilePath = path;
        _canWrite = (flags & Kernel.O_ACCMODE) == Kernel.O_RDWR;
        _fd = KernelFile.Open(Kernel.CurrentDirectory, path, flags, OwnerOnly);
        if (_fd < 0)
            throw new ErrnoException(Kernel.LastError, $"it cannot be opened: {Explain(Kernel.LastError)}");
        _before = KernelFile.Status(_fd);
        if ((_before.Mode & Kernel.StatusBuffer.TypeMask) == Kernel.StatusBuffer.Regular)
            return;
        _ = Kernel.Close(_fd);
        throw new ErrnoException(Errno.EINVAL, "it is not a regular file");
    }

    /// <summary>One that is open already; its descriptor is ours from here on.</summary>
    internal static RawFile Take(int descriptor, string path) => new(descriptor, path, canWrite: false);

    private RawFile(int descriptor, string path, bool canWrite)
    {
        FilePath = path;
        _canWrite = canWrite;
        _fd = descriptor;
        _before = KernelFile.Status(_fd);
    }

    /// <summary>Makes a file for its owner alone; fails where there is one.</summary>
    internal static RawFile Create(string path, bool isSyncedByOthers = false) => new(path, CreateNew) { IsSyncedByOthers = isSyncedByOthers };

    internal string FilePath { get; }

    internal IReadOnlyList<string> Lines => _lines;

    /// <summary>As it was when the file was opened.</summary>
    internal Kernel.StatusBuffer Status => _before;

    public bool TryAllowWriting() => _canWrite;

    public long Length => KernelFile.Status(_fd).Size;

    public int Read(long offset, Span<byte> buffer) => KernelFile.Read(_fd, offset, buffer);

    public void Write(long offset, ReadOnlySpan<byte> data) => KernelFile.Write(_fd, offset, data);

    public void SetLength(long length) => KernelFile.Check(Kernel.SetLength(_fd, length), "changing the backing file's length failed");

    public void PunchHole(long offset, long length) => KernelFile.Check(
        Kernel.Allocate(_fd, Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE, offset, length), "punching a hole failed");

    /// <summary>Set by who syncs the whole file system before the file gets a name that anybody relies on.</summary>
    internal bool IsSyncedByOthers { get; init; }

    public void Sync(bool dataOnly)
    {
        if (!IsSyncedByOthers)
            SyncNow(dataOnly);
    }

    private void SyncNow(bool dataOnly) => KernelFile.Check(dataOnly ? Kernel.SyncData(_fd) : Kernel.Sync(_fd), "syncing the backing file failed");

    /// <summary>As the engine does it: programs see no change that none of them made.</summary>
    public void Quietly(Action change)
    {
        Kernel.StatusBuffer before = KernelFile.Status(_fd);
        change();
        Kernel.StatusBuffer after = KernelFile.Status(_fd);
        if (after.Modified.Seconds == before.Modified.Seconds && after.Modified.Nanoseconds == before.Modified.Nanoseconds)
            return;
        try
        {
            SetTimes(before);
        }
        catch (ErrnoException exception) when (exception.Errno is Errno.EPERM or Errno.EACCES)
        {
            // Only the owner may; another's file then says when this was.
        }
    }

    public bool TryNextExtent(long offset, out long start, out long end)
    {
        end = 0;
        start = Kernel.Seek(_fd, offset, Kernel.SEEK_DATA);
        if (start >= 0)
            end = Kernel.Seek(_fd, start, Kernel.SEEK_HOLE);
        if (start >= 0 && end > start)
            return true;
        return Kernel.LastError == NoSuchOffset || end == start ? false : throw KernelFile.Failure("the backing file's holes cannot be found");
    }

    void IFaultLog.Write(string cause) => _lines.Add(cause);

    internal void SetMode(uint mode) => KernelFile.Check(Kernel.ChangeMode(_fd, mode), "the mode cannot be changed");

    /// <summary>Only root may give files away; for others the new file is theirs, as it is with any copy.</summary>
    internal void TakeOwner(in Kernel.StatusBuffer like)
    {
        if (Posix.ChangeOwner(_fd, like.UserId, like.GroupId) != 0 && Kernel.LastError != Errno.EPERM)
            throw KernelFile.Failure("the owner cannot be set");
    }

    /// <summary>Gives the file the times that another, or itself, had.</summary>
    internal unsafe void SetTimes(in Kernel.StatusBuffer like)
    {
        Kernel.TimeSpec* times = stackalloc Kernel.TimeSpec[2];
        times[0] = new Kernel.TimeSpec { Seconds = like.Accessed.Seconds, Nanoseconds = like.Accessed.Nanoseconds };
        times[1] = new Kernel.TimeSpec { Seconds = like.Modified.Seconds, Nanoseconds = like.Modified.Nanoseconds };
        KernelFile.Check(Kernel.SetTimes(_fd, times), "the file's times cannot be set");
    }

    public void Dispose() => _ = Kernel.Close(_fd);

    private static string Explain(int errno) => new System.ComponentModel.Win32Exception(errno).Message;
}
