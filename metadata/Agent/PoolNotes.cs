using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Agent;

/// <summary>What is known of keys that were handed out, and of the files that were made with them, until it is in the store.</summary>
internal sealed class PoolNotes
{
    // What is kept of notes while the store cannot be written; a path lost is only a path not known.
    private const int MaxHeld = 65_536;

    /// <summary>Handed out and not yet reported as created.</summary>
    private readonly HashSet<UInt128> _handed = [];

    private readonly Dictionary<UInt128, string> _created = [];

    /// <summary>Where those are made that were handed out for one file.</summary>
    private readonly Dictionary<UInt128, (string Path, FileSettings Settings)> _places = [];

    /// <summary>How far files have come, and how often their keys have sealed since that was written.</summary>
    private readonly Dictionary<UInt128, (ulong Sequence, uint BootWord, long Seals)> _states = [];

    internal int Count => _handed.Count + _created.Count + _states.Count;

    internal void NoteHanded(UInt128 fileId) => _handed.Add(fileId);

    internal void NotePlace(UInt128 fileId, string path, FileSettings settings) => _places[fileId] = (path, settings);

    internal void NoteCreated(UInt128 fileId, string path)
    {
        if (_created.Count >= MaxHeld)
            return;
        // The first word on where a file was made is the last: rules of a policy go by it.
        _ = _created.TryAdd(fileId, path);
        _handed.Remove(fileId);
    }

    internal void NoteState(UInt128 fileId, ulong sequence, uint bootWord, long seals)
    {
        bool isKnown = _states.TryGetValue(fileId, out (ulong Sequence, uint BootWord, long Seals) known);
        if (!isKnown && _states.Count >= MaxHeld)
            return;
        bool isNewer = !isKnown || sequence > known.Sequence;
        _states[fileId] = isNewer ? (sequence, bootWord, known.Seals + seals) : (known.Sequence, known.BootWord, known.Seals + seals);
    }

    internal bool IsCreated(UInt128 fileId) => _created.ContainsKey(fileId);

    /// <summary>Of a file that the store does not know yet; null: nor do we.</summary>
    internal string? PathOf(UInt128 fileId) => _created.GetValueOrDefault(fileId) ?? PlaceOf(fileId);

    /// <summary>Where a file is made that a key was given for a moment ago; null: not known.</summary>
    internal string? PlaceOf(UInt128 fileId) => _places.TryGetValue(fileId, out (string Path, FileSettings) place) && place.Path.Length > 0 ? place.Path : null;

    /// <summary>Everything that came after these.</summary>
    internal void Add(PoolNotes later)
    {
        foreach (UInt128 fileId in later._handed)
            NoteHanded(fileId);
        foreach ((UInt128 fileId, (string path, FileSettings settings)) in later._places)
            NotePlace(fileId, path, settings);
        foreach ((UInt128 fileId, string path) in later._created)
            NoteCreated(fileId, path);
        foreach ((UInt128 fileId, (ulong sequence, uint bootWord, long seals)) in later._states)
            NoteState(fileId, sequence, bootWord, seals);
    }

    /// <summary>Inside a transaction. Changes nothing here: it may have to be done again.</summary>
    /// <param name="worn">Receives files whose keys have sealed <paramref name="mostSeals"/> times.</param>
    internal void Write(FileTable files, long mostSeals, List<byte[]> worn)
    {
        foreach (UInt128 fileId in _handed)
            files.SetHanded(BytesOf(fileId));
        foreach ((UInt128 fileId, (string path, FileSettings settings)) in _places)
            files.SetPlace(BytesOf(fileId).ToArray(), path, settings);
        foreach ((UInt128 fileId, string path) in _created)
        {
            // Nearly every file is closed by the time that its making is written: one statement for both.
            (ulong sequence, uint bootWord, long seals) = _states.GetValueOrDefault(fileId);
            files.SetLive(BytesOf(fileId), path, sequence, bootWord, seals);
        }
        foreach ((UInt128 fileId, (ulong sequence, uint bootWord, long seals)) in _states)
        {
            bool isNew = _created.ContainsKey(fileId);
            if (!isNew)
                files.RaiseSequence(BytesOf(fileId), sequence, bootWord, seals);
            // The key of a new file has sealed nothing but that.
            if ((!isNew || seals >= mostSeals) && mostSeals < long.MaxValue && files.ReadSeals(BytesOf(fileId)) >= mostSeals)
                worn.Add(BytesOf(fileId).ToArray());
        }
    }

    private static ReadOnlySpan<byte> BytesOf(in UInt128 fileId) => MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in fileId));
}
