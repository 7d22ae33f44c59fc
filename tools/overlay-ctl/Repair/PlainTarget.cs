using System;
using System.IO;

namespace Overlay.Ctl.Repair;

/// <summary>A plain file for its owner alone, outside of any volume.</summary>
internal sealed class PlainTarget : ISaveTarget
{
    private readonly FileStream _stream;

    internal PlainTarget(string path)
    {
        FilePath = path;
        _stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    public string FilePath { get; }

    public void Write(long offset, ReadOnlySpan<byte> plain) => RandomAccess.Write(_stream.SafeFileHandle, plain, offset);

    public void Complete(long size)
    {
        _stream.SetLength(size);
        _stream.Flush(flushToDisk: true);
    }

    public void Dispose() => _stream.Dispose();
}
