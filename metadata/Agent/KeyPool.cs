using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// The keys of files to come, of one volume, and what is known of files that came. Invariants:
/// <list type="number">
/// <item>A key is in the pool only after its row is on the disk (a file's key is durable before any of its bytes).</item>
/// <item>Keys are handed out from this agent's memory only, never from rows: whatever an agent left behind, killed or in a
/// copied or restored store, may have been handed out and is not handed out again. Two agents on one store cannot meet.</item>
/// <item>A row is removed only if its key has not left this memory.</item>
/// </list>
/// What clients report is collected and written with the next refill, or by <see cref="Flush"/>. An agent lets another thread write
/// (<see cref="BeginRefill"/>, <see cref="BeginFlush"/>), so that nobody who asks it for something meanwhile waits for the disk.
/// </summary>
internal sealed class KeyPool : IDisposable
{
    /// <summary>
    /// How many keys a refill leaves: many where it comes close behind another one. Most of a commit is its sync, whatever the number of rows, and on a
    /// journalling file system the sync of all that programs did meanwhile; and what is left shall last for as long as the next one takes.
    /// </summary>
    internal const int LeastTarget = 256, MostTarget = 2048;
    internal const int MaxPendingNotes = 4096;

    private const long BurstMilliseconds = 1_000;
    private const int GrowthInBurst = 8;

    private readonly UnlockedVolume _volume;

    /// <summary>The same volume for the other thread: made on first need, used by <see cref="_underWay"/> alone while that is there.</summary>
    private UnlockedVolume? _writersVolume;
    private PoolWrite? _underWay;

    /// <summary>Those of the first are handed out first.</summary>
    private readonly Queue<KeyChunk> _chunks = new();
    private PoolNotes _notes = new();
    private int _target = LeastTarget;
    private long _lastRefill = -BurstMilliseconds;

    // Files whose keys have sealed oftener than they should.
    private readonly List<byte[]> _worn = [];

    internal KeyPool(UnlockedVolume volume) => _volume = volume;

    /// <summary>How often an aes-256-gcm key may seal before it is <see cref="TakeWorn">worn</see>.</summary>
    internal long MostSeals { get; init; } = long.MaxValue;

    /// <summary>Files that were found to be so since this was asked last.</summary>
    internal byte[][] TakeWorn()
    {
        byte[][] worn = [.. _worn];
        _worn.Clear();
        return worn;
    }

    internal UnlockedVolume Volume => _volume;

    internal int Count { get; private set; }

    internal bool IsLow => Count < _target / 2;

    /// <summary>Worth filling up where something is written anyway.</summary>
    internal bool IsUsed => Count < _target / 4 * 3;

    internal bool HasNotes => _notes.Count > 0;

    internal bool IsFullOfNotes => _notes.Count >= MaxPendingNotes;

    /// <summary>Another thread is writing.</summary>
    internal bool IsWriting => _underWay is not null;

    /// <summary>Fills the pool up, in one transaction together with all notes.</summary>
    internal void Refill()
    {
        Finish();
        Run(NewRefill());
    }

    /// <summary>Writes what was noted.</summary>
    internal void Flush()
    {
        Finish();
        if (HasNotes)
            Run(NewWrite(0));
    }

    internal void BeginRefill() => Begin(NewRefill());

    internal void BeginFlush() => Begin(NewWrite(0));

    /// <summary>Takes what the other thread has made durable. Null: it has not ended, or there is none.</summary>
    /// <returns>How long it took.</returns>
    internal TimeSpan? TryFinish()
    {
        if (_underWay is not { IsDone: true } done)
            return null;
        Finish();
        return done.Took;
    }

    /// <summary>Where there are no keys, waits for some.</summary>
    internal void AwaitKeys()
    {
        if (Count == 0)
            Finish();
        if (Count == 0)
            Refill();
    }

    /// <summary>Takes one key. The pool must not be empty.</summary>
    /// <param name="derived">Receives what <see cref="DataKey.Derive"/> makes of it; may be empty.</param>
    internal void Take(Span<byte> fileId, Span<byte> key, Span<byte> derived = default)
    {
        KeyChunk chunk = _chunks.Peek();
        _notes.NoteHanded(chunk.Take(fileId, key, derived));
        Count--;
        if (chunk.Count == 0)
            _chunks.Dequeue().Dispose();
    }

    /// <summary>The key that was just taken is for this file alone.</summary>
    internal void NotePlace(ReadOnlySpan<byte> fileId, string path, FileSettings settings) => _notes.NotePlace(MemoryMarshal.Read<UInt128>(fileId), path, settings);

    internal void NoteCreated(ReadOnlySpan<byte> fileId, string path) => _notes.NoteCreated(MemoryMarshal.Read<UInt128>(fileId), path);

    /// <summary>A file was made with it, which the store does not know yet.</summary>
    internal bool IsNoted(ReadOnlySpan<byte> fileId)
    {
        UInt128 id = MemoryMarshal.Read<UInt128>(fileId);
        return _notes.IsCreated(id) || _underWay?.Notes.IsCreated(id) == true;
    }

    /// <summary>Of a file that the store does not know yet; null: nor do we.</summary>
    internal string? PathNoted(ReadOnlySpan<byte> fileId)
    {
        UInt128 id = MemoryMarshal.Read<UInt128>(fileId);
        return _underWay?.Notes.PathOf(id) ?? _notes.PathOf(id);
    }

    /// <summary>Where a file is made that a key was given for a moment ago; null: not known.</summary>
    internal string? PlaceOf(ReadOnlySpan<byte> fileId)
    {
        UInt128 id = MemoryMarshal.Read<UInt128>(fileId);
        return _underWay?.Notes.PlaceOf(id) ?? _notes.PlaceOf(id);
    }

    internal void NoteState(ReadOnlySpan<byte> fileId, ulong sequence, uint bootWord, uint seals = 0)
    {
        // The store's integers are signed; no file comes that far.
        if (sequence <= long.MaxValue)
            _notes.NoteState(MemoryMarshal.Read<UInt128>(fileId), sequence, bootWord, seals);
    }

    /// <summary>The orderly end: notes are written, the rows of keys that nobody got are removed.</summary>
    internal void Retire()
    {
        try
        {
            Finish();
        }
        catch (VolumeException)
        {
            // Its notes are ours again, and are written now; where they cannot be, that is said.
        }
        _volume.Store.Connection.InTransaction(() =>
        {
            _notes.Write(_volume.Store.Files, MostSeals, _worn);
            foreach (KeyChunk chunk in _chunks)
                for (int i = 0; i < chunk.Count; i++)
                    _volume.Store.Files.RemovePooled(chunk.FileId(i));
        });
        _notes = new PoolNotes();
        DropChunks();
    }

    public void Dispose()
    {
        _underWay?.Wait();
        _underWay?.Chunks.ForEach(chunk => chunk.Dispose());
        DropChunks();
        _writersVolume?.Dispose();
    }

    private void DropChunks()
    {
        while (_chunks.TryDequeue(out KeyChunk? chunk))
            chunk.Dispose();
        Count = 0;
    }

    private PoolWrite NewRefill()
    {
        long now = Environment.TickCount64;
        _target = now - _lastRefill < BurstMilliseconds ? Math.Min(_target * GrowthInBurst, MostTarget) : LeastTarget;
        _lastRefill = now;
        return NewWrite(Math.Max(_target - Count, 0));
    }

    private PoolWrite NewWrite(int keys)
    {
        PoolWrite write = new(keys, _notes, MostSeals);
        _notes = new PoolNotes();
        return write;
    }

    private void Begin(PoolWrite write)
    {
        try
        {
            // A store that nobody else can open at the same time (MetadataStore.Open) is written here.
            if (!_volume.Store.IsAlone)
                write.Begin(_writersVolume ??= _volume.OpenAgain());
        }
        catch
        {
            TakeBack(write);
            throw;
        }
        if (_volume.Store.IsAlone)
            Run(write);
        else
            _underWay = write;
    }

    private void Run(PoolWrite write)
    {
        try
        {
            write.Run(_volume);
        }
        catch
        {
            TakeBack(write);
            throw;
        }
        TakeOver(write);
    }

    private void Finish()
    {
        if (_underWay is not { } write)
            return;
        _underWay = null;
        try
        {
            write.Finish();
        }
        catch
        {
            TakeBack(write);
            throw;
        }
        TakeOver(write);
    }

    /// <summary>It is on the disk.</summary>
    private void TakeOver(PoolWrite write)
    {
        foreach (KeyChunk chunk in write.Chunks)
        {
            _chunks.Enqueue(chunk);
            Count += chunk.Count;
        }
        _worn.AddRange(write.Worn);
    }

    private void TakeBack(PoolWrite write)
    {
        write.Notes.Add(_notes);
        _notes = write.Notes;
    }
}
