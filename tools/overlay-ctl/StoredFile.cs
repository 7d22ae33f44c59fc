using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>A backing file opened for reading, as it lies on disk.</summary>
internal sealed class StoredFile : IBackingFile, IFileLock, ICoherence, IFaultLog, IDisposable
{
    private readonly FileStream _stream;
    private BlockCache? _cache;

    internal StoredFile(string path)
    {
        FilePath = path;
        _stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }

    internal string FilePath { get; }

    public long Length => _stream.Length;

    public ulong Word => 0;

    public int Read(long offset, Span<byte> buffer)
    {
        int done = 0;
        for (int count; done < buffer.Length && (count = RandomAccess.Read(_stream.SafeFileHandle, buffer[done..], offset + done)) > 0;)
            done += count;
        return done;
    }

    public void Write(long offset, ReadOnlySpan<byte> data) => throw ReadOnly();

    public void SetLength(long length) => throw ReadOnly();

    public void PunchHole(long offset, long length) => throw ReadOnly();

    public void Sync(bool dataOnly) => throw ReadOnly();

    // A look at a file that programs may be writing: a torn read is tried again, but nobody is kept from writing.
    public void Enter() { }

    public void Exit() { }

    public void BeginWrite() => throw ReadOnly();

    public void EndWrite() => throw ReadOnly();

    void IFaultLog.Write(string cause) => Console.Error.WriteLine($"overlay-ctl: {FilePath}: {cause}");

    public void Dispose()
    {
        _stream.Dispose();
        _cache?.Dispose();
    }

    /// <summary>The file with its key from the volume.</summary>
    internal OpenResult Open(UnlockedVolume volume, out SealedFile? file)
    {
        _cache ??= new BlockCache(1 << 20);
        uint boot = BootWord.FromBootId(File.ReadAllBytes("/proc/sys/kernel/random/boot_id").AsSpan(0, 36));
        FileContext context = new(this, this, this, this, _cache, volume.VolumeId.ToArray(), boot, volume.BlockSizeLog2);
        return SealedFile.Open(context, new VolumeKeys(volume), out file);
    }

    private static ErrnoException ReadOnly() => new(Errno.EROFS, "inspection never writes");

    private sealed class VolumeKeys(UnlockedVolume volume) : IKeySource
    {
        public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key) => volume.TryGetFileKey(fileId, key);
    }
}
