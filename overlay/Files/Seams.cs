using System;
using Overlay.Crypto;

namespace Overlay.Files;

/// <summary>The stored bytes of one inode. Failures are <see cref="ErrnoException"/>.</summary>
public interface IBackingFile
{
    long Length { get; }

    /// <summary>Reads until <paramref name="buffer"/> is full or the file ends; returns the bytes read.</summary>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Writes all of <paramref name="data"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    void SetLength(long length);

    void PunchHole(long offset, long length);

    void Sync(bool dataOnly);

    /// <summary>Makes a change that the program did not ask for: the file's times stay as it knows them.</summary>
    void Quietly(Action change) => change();
}

/// <summary>Where a backing file holds anything at all; for looking after its space.</summary>
public interface IExtentMap
{
    /// <summary>The first range at or behind <paramref name="offset"/> that is no hole of the backing file. False: none is left.</summary>
    bool TryNextExtent(long offset, out long start, out long end);
}

/// <summary>One inode's write lock between processes (design D13); threads of a process are kept apart by SealedFile itself.</summary>
public interface IFileLock
{
    void Enter();

    void Exit();
}

/// <summary>One inode's counter (format §8).</summary>
public interface ICoherence
{
    ulong Word { get; }

    void BeginWrite();

    void EndWrite();
}

public interface IKeySource
{
    /// <summary>False if the store has no key of this id. Other failures are <see cref="ErrnoException"/>.</summary>
    bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key);
}

/// <summary>Where one-line warnings go.</summary>
public interface IFaultLog
{
    void Write(string cause);
}

/// <summary>All that a sealed file needs from its surroundings.</summary>
public sealed record FileContext(
    IBackingFile Backing, IFileLock Lock, ICoherence Coherence, IFaultLog Log, BlockCache Cache, byte[] VolumeId, uint BootWord,
    int VolumeBlockSizeLog2);
