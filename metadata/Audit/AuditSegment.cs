using System;
using System.IO;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Audit;

/// <summary>The file of the log that is written to.</summary>
internal sealed unsafe class AuditSegment : IDisposable
{
    private const int Append = 0x400;

    private readonly string _path;
    private int _descriptor;

    internal AuditSegment(string directory, long number)
    {
        _path = AuditFiles.PathOf(directory, number);
        _descriptor = FileCalls.Open(_path, FileCalls.ReadWrite | FileCalls.Create | Append | FileCalls.CloseOnExec | FileCalls.NoFollow, 0x180);
        if (_descriptor < 0)
            throw Unavailable("cannot be opened");
    }

    internal long Length
    {
        get
        {
            FileStatus status;
            return FileCalls.Stat(_descriptor, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) == 0 ? (long)status.Size : throw Unavailable("cannot be looked at");
        }
    }

    internal byte[] Read(long offset, long length)
    {
        byte[] content = new byte[length];
        fixed (byte* start = content)
        {
            for (long done = 0; done < length;)
            {
                nint count = FileCalls.ReadAt(_descriptor, start + done, (nuint)(length - done), offset + done);
                if (count <= 0)
                    throw Unavailable("cannot be read");
                done += count;
            }
        }
        return content;
    }

    /// <summary>All of it, on the disk when this returns, or nothing.</summary>
    internal void Write(ReadOnlySpan<byte> lines, long lengthBefore)
    {
        fixed (byte* start = lines)
        {
            for (int done = 0; done < lines.Length;)
            {
                nint count = FileCalls.Write(_descriptor, start + done, (nuint)(lines.Length - done));
                if (count < 0 && Errno.Last == Errno.Interrupted)
                    continue;
                if (count <= 0)
                    throw TakeBack(lengthBefore);
                done += (int)count;
            }
        }
        if (FileCalls.Sync(_descriptor) < 0)
            throw TakeBack(lengthBefore);
        if (lengthBefore == 0)
            VolumeFiles.Sync(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Half a line at the end, of a writer that was killed: nobody was answered on its word.</summary>
    internal void Cut(long length)
    {
        if (FileCalls.SetLength(_descriptor, length) < 0)
            throw Unavailable("cannot be cut to its last whole record");
    }

    public void Dispose() => PacketSocket.CloseIfOpen(ref _descriptor);

    private VolumeException TakeBack(long length)
    {
        VolumeException failure = Unavailable("cannot be written");
        _ = FileCalls.SetLength(_descriptor, length);
        return failure;
    }

    private VolumeException Unavailable(string what) => new(
        Errno.Last == Errno.NoSpace ? VolumeError.DiskFull : VolumeError.StoreUnavailable, $"The audit log {_path} {what}: errno {Errno.Last}.");
}
