using System;
using Overlay.Crypto;
using Overlay.Format;

namespace Overlay.Files;

/// <summary>The stored bytes of one inode. Failures are <see cref="ErrnoException"/>.</summary>
public interface IBackingFile
{
    long Length { get; }

    /// <summary>For who only reads so far, and finds something to put right. False: its user may not write the file.</summary>
    bool TryAllowWriting() => true;

    /// <summary>Reads until <paramref name="buffer"/> is full or the file ends; returns the bytes read.</summary>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Is it of any use to say what will be read?</summary>
    bool HearsOfReads => false;

    /// <summary>This will be read soon.</summary>
    void WillRead(long offset, long length)
    {
    }

    /// <summary>Is there room on the disk already, so that writing there changes nothing of where the file lies? True where that cannot be told.</summary>
    bool HasRoom(long offset, long length) => true;

    /// <summary>Writes all of <paramref name="data"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    void SetLength(long length);

    void PunchHole(long offset, long length);

    void Sync(bool dataOnly);

    /// <summary>Makes a change that the program did not ask for: the file's times stay as it knows them.</summary>
    void Quietly(Action change) => change();

    /// <summary>Makes a change that the program made long ago, by mapping: its times count, but set-user-id bits and capabilities stay.</summary>
    void KeepingRights(Action change) => change();
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

    /// <summary>Takes it if nobody who lives has it. False also where that cannot be told.</summary>
    bool TryEnter() => false;

    void Exit();
}

/// <summary>One inode's counter (format §8).</summary>
public interface ICoherence
{
    ulong Word { get; }

    void BeginWrite();

    void EndWrite();

    /// <summary>Under the lock, where that is one for the whole counter: writers that are still counted were killed, and are no more.</summary>
    void ForgetKilled() { }
}

/// <summary>
/// What is being written into one inode's index. A write inside a page is not whole for who is killed in it: the kernel may have copied any
/// number of its bytes. So they are kept, in memory that processes share, and written again by whoever takes the lock next (format §8).
/// </summary>
public interface IRedo
{
    /// <summary>Does <see cref="TryFind"/> find what was begun? Else what must be whole has to be one write, and hope for the best.</summary>
    bool Keeps { get; }

    /// <summary>
    /// Under the inode's lock: these bytes, of at most a page, are about to be written, and with them a table of units (format §6) if there is one.
    /// </summary>
    void Begin(ReadOnlySpan<byte> fileId, long offset, ReadOnlySpan<byte> data, long tableOffset = 0, ReadOnlySpan<byte> table = default);

    /// <summary>They are written, or the writer lives to know that they are not.</summary>
    void End();

    /// <summary>Under the inode's lock: what a killed writer had begun.</summary>
    /// <param name="kept">Has room for a page and a table, which lies behind the data.</param>
    bool TryFind(Span<byte> kept, out RedoRange range);

    /// <summary>It is written.</summary>
    void Drop();
}

/// <summary>Where kept bytes belong.</summary>
/// <param name="TableOffset">0: no table was kept with them.</param>
public readonly record struct RedoRange(UInt128 FileId, long Offset, int Length, long TableOffset = 0)
{
    public const int Room = FormatConstants.PageSize + FormatConstants.UnitTableSize;

    public int TableLength => TableOffset == 0 ? 0 : FormatConstants.UnitTableSize;
}

public interface IKeySource
{
    /// <summary>False if the store has no key of this id. Other failures are <see cref="ErrnoException"/>.</summary>
    bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key);

    /// <summary>
    /// For a file whose key <see cref="TryGetKey"/> did not give, or that has two since it is being replaced: what the store has now, not what was
    /// kept of it.
    /// </summary>
    /// <param name="keys">Room for two.</param>
    /// <returns>How many there are.</returns>
    int GetKeysAnew(ReadOnlySpan<byte> fileId, Span<byte> keys) => TryGetKey(fileId, keys[..DataKey.KeySize]) ? 1 : 0;
}

/// <summary>Where one-line warnings go.</summary>
public interface IFaultLog
{
    void Write(string cause);
}

/// <summary>All that a sealed file needs from its surroundings.</summary>
public sealed record FileContext(
    IBackingFile Backing, IFileLock Lock, ICoherence Coherence, IRedo Redo, IFaultLog Log, BlockCache Cache, byte[] VolumeId, uint BootWord,
    int VolumeBlockSizeLog2)
{
    /// <summary>For a file that is made, not opened: where its keys are, should it get another one while it is open. Null: it fails then.</summary>
    public IKeySource? Keys { get; init; }

    /// <summary>Whoever has it open calls <see cref="SealedFile.Settle"/> at last: what a sync has to write at its end may wait until then.</summary>
    public bool IsSettledAtLast { get; init; }

    /// <summary>For tests: blocks that are written in parts keep their base also where the file was synced.</summary>
    internal bool IsBaseAlwaysKept { get; init; }

    /// <summary>Null: all is done on the thread that writes.</summary>
    internal IHelper? Helper { get; init; }
}
