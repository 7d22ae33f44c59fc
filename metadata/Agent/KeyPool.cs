using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Store;
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
/// What clients report is collected and written with the next refill, or by <see cref="Flush"/>.
/// </summary>
internal sealed class KeyPool : IDisposable
{
    /// <summary>
    /// How many keys a refill leaves. Refills close behind each other double it: most of a commit is its sync, whatever the
    /// number of rows, and clients wait for it.
    /// </summary>
    internal const int LeastTarget = 256, MostTarget = 1024;
    internal const int MaxPendingNotes = 1024;

    private const long BurstMilliseconds = 1_000;

    // What is kept of notes while the store cannot be written; a path lost is only a path not known.
    private const int MaxHeldNotes = 65_536;

    private readonly UnlockedVolume _volume;
    private readonly SecretMemory _keys = new(MostTarget * SlotSealing.KeySize);
    private readonly byte[][] _fileIds = new byte[MostTarget][];
    // Keys lie at 0 .. _count - 1 and are taken from the end.
    private int _count;
    private int _target = LeastTarget;
    private long _lastRefill = -BurstMilliseconds;
    // Handed out and not yet reported as created.
    private readonly HashSet<UInt128> _handed = [];
    private readonly List<(byte[] FileId, string Path)> _created = [];
    private readonly HashSet<UInt128> _createdIds = [];
    // Where those are made that were handed out for one file.
    private readonly Dictionary<UInt128, (string Path, FileSettings Settings)> _places = [];
    // How far files have come, and how often their keys have sealed since that was written.
    private readonly Dictionary<UInt128, (ulong Sequence, uint BootWord, long Seals)> _states = [];

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

    internal int Count => _count;

    internal bool IsLow => _count < _target / 2;

    internal bool HasNotes => CountNotes() > 0;

    internal bool IsFullOfNotes => CountNotes() >= MaxPendingNotes;

    /// <summary>Fills the pool up, in one transaction together with all notes.</summary>
    internal void Refill()
    {
        long now = Environment.TickCount64;
        int target = now - _lastRefill < BurstMilliseconds ? Math.Min(_target * 2, MostTarget) : LeastTarget;
        if (target > _count)
            Add(target - _count);
        else
            Flush();
        _target = target;
        _lastRefill = now;
    }

    /// <summary>Takes one key. The pool must not be empty.</summary>
    internal void Take(Span<byte> fileId, Span<byte> key)
    {
        _count--;
        Span<byte> pooled = _keys.Bytes.Slice(_count * SlotSealing.KeySize, SlotSealing.KeySize);
        _fileIds[_count].CopyTo(fileId);
        pooled.CopyTo(key);
        Secret.Wipe(pooled);
        _handed.Add(MemoryMarshal.Read<UInt128>(_fileIds[_count]));
    }

    /// <summary>The key that was just taken is for this file alone.</summary>
    internal void NotePlace(ReadOnlySpan<byte> fileId, string path, FileSettings settings) => _places[MemoryMarshal.Read<UInt128>(fileId)] = (path, settings);

    internal void NoteCreated(ReadOnlySpan<byte> fileId, string path)
    {
        if (_created.Count >= MaxHeldNotes)
            return;
        _created.Add((fileId.ToArray(), path));
        _createdIds.Add(MemoryMarshal.Read<UInt128>(fileId));
        _handed.Remove(MemoryMarshal.Read<UInt128>(fileId));
    }

    /// <summary>A file was made with it, which the store does not know yet.</summary>
    internal bool IsNoted(ReadOnlySpan<byte> fileId) => _createdIds.Contains(MemoryMarshal.Read<UInt128>(fileId));

    /// <summary>Of a file that the store does not know yet; null: nor do we.</summary>
    internal string? PathNoted(ReadOnlySpan<byte> fileId)
    {
        for (int i = _created.Count - 1; i >= 0; i--)
            if (fileId.SequenceEqual(_created[i].FileId))
                return _created[i].Path;
        return PlaceOf(fileId);
    }

    /// <summary>Where a file is made that a key was given for a moment ago; null: not known.</summary>
    internal string? PlaceOf(ReadOnlySpan<byte> fileId) =>
        _places.TryGetValue(MemoryMarshal.Read<UInt128>(fileId), out (string Path, FileSettings) place) && place.Path.Length > 0 ? place.Path : null;

    internal void NoteState(ReadOnlySpan<byte> fileId, ulong sequence, uint bootWord, uint seals = 0)
    {
        // The store's integers are signed; no file comes that far.
        if (sequence > long.MaxValue)
            return;
        UInt128 id = MemoryMarshal.Read<UInt128>(fileId);
        bool isKnown = _states.TryGetValue(id, out (ulong Sequence, uint BootWord, long Seals) known);
        if (!isKnown && _states.Count >= MaxHeldNotes)
            return;
        bool isNewer = !isKnown || sequence > known.Sequence;
        _states[id] = isNewer ? (sequence, bootWord, known.Seals + seals) : (known.Sequence, known.BootWord, known.Seals + seals);
    }

    /// <summary>Writes what was noted.</summary>
    internal void Flush()
    {
        if (!HasNotes)
            return;
        _volume.Store.Connection.InTransaction(WriteNotes);
        ForgetNotes();
    }

    /// <summary>The orderly end: notes are written, the rows of keys that nobody got are removed.</summary>
    internal void Retire()
    {
        _volume.Store.Connection.InTransaction(() =>
        {
            WriteNotes();
            for (int i = 0; i < _count; i++)
                _volume.Store.Files.RemovePooled(_fileIds[i]);
        });
        ForgetNotes();
        _count = 0;
    }

    public void Dispose() => _keys.Dispose();

    private void Add(int added)
    {
        Span<byte> newKeys = _keys.Bytes.Slice(_count * SlotSealing.KeySize, added * SlotSealing.KeySize);
        NonceSource.Fill(newKeys);
        byte[][] rows = new byte[added][];
        for (int i = 0; i < added; i++)
            _fileIds[_count + i] = NewFileId();
        do
        {
            for (int i = 0; i < added; i++)
                rows[i] = _volume.Wrap(_fileIds[_count + i], newKeys.Slice(i * SlotSealing.KeySize, SlotSealing.KeySize));
        }
        while (!TryInsert(rows));
        ForgetNotes();
        _count += added;
    }

    /// <summary>False: the volume key was changed, and ours is the new one by now.</summary>
    private bool TryInsert(byte[][] rows)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        bool isCurrent = false;
        _volume.Store.Connection.InTransaction(() =>
        {
            // Under the write lock: nobody can change the volume key behind this.
            isCurrent = _volume.IsCurrent();
            // The other way round than they lie here: rows are in the order in which their keys are taken, and so files are made.
            for (int i = rows.Length - 1; isCurrent && i >= 0; i--)
                _volume.Store.Files.InsertPooled(_fileIds[_count + i], rows[i], _volume.Store.Volume, now);
            if (isCurrent)
                WriteNotes();
        });
        if (!isCurrent)
            _volume.Follow();
        return isCurrent;
    }

    private void WriteNotes()
    {
        foreach (UInt128 fileId in _handed)
            _volume.Store.Files.SetHanded(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in fileId)).ToArray());
        foreach ((UInt128 fileId, (string path, FileSettings settings)) in _places)
            _volume.Store.Files.SetPlace(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in fileId)).ToArray(), path, settings);
        foreach ((byte[] fileId, string path) in _created)
            _volume.Store.Files.SetLive(fileId, path);
        foreach ((UInt128 fileId, (ulong sequence, uint bootWord, long seals)) in _states)
        {
            byte[] id = MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in fileId)).ToArray();
            if (_volume.Store.Files.RaiseSequence(id, sequence, bootWord, seals) >= MostSeals)
                _worn.Add(id);
        }
    }

    private int CountNotes() => _handed.Count + _created.Count + _states.Count;

    private void ForgetNotes()
    {
        _handed.Clear();
        _created.Clear();
        _createdIds.Clear();
        _places.Clear();
        _states.Clear();
    }

    private static byte[] NewFileId()
    {
        byte[] fileId = new byte[16];
        // Format §4: never 0.
        do
            NonceSource.Fill(fileId);
        while (!fileId.AsSpan().ContainsAnyExcept((byte)0));
        return fileId;
    }
}
