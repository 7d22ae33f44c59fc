using System;
using System.Collections.Generic;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>What the agent is told, for the store's records: names of new files, and how far files have come.</summary>
internal sealed partial class Volume
{
    /// <summary>Milliseconds.</summary>
    private const int NoteDelay = 200;

    private readonly List<(byte[] FileId, string Path)> _notes = [];
    private readonly List<FileSequence> _states = [];
    private long _lastNotes, _lastStates;

    /// <summary>
    /// Tells the agent the name of a new file, for the store's records: at once, or, where many are made in a row, with the
    /// next ones. The key is durable without it.
    /// </summary>
    internal void NoteCreated(byte[] fileId, string path)
    {
        string relative = path.StartsWith(Root + "/", StringComparison.Ordinal) ? path[(Root.Length + 1)..] : path;
        lock (_stock)
        {
            _notes.Add((fileId, relative));
            if (MayWait(_notes.Count, _lastNotes))
                return;
        }
        SendNotes();
    }

    /// <summary>Tells the agent how far a file has come, so that an older copy of it in its place is found (format §5).</summary>
    internal void NoteState(ReadOnlySpan<byte> fileId, ulong sequence, uint seals)
    {
        lock (_stock)
        {
            _states.Add(new FileSequence(fileId.ToArray(), sequence, seals));
            if (MayWait(_states.Count, _lastStates))
                return;
        }
        SendStates();
    }

    private static bool MayWait(int notes, long last) => notes < LargestBatch && Environment.TickCount64 - last < NoteDelay;

    /// <summary>Where no agent is there any more the store just knows less.</summary>
    private void SendStates()
    {
        FileSequence[] states;
        lock (_stock)
        {
            if (_states.Count == 0)
                return;
            states = [.. _states];
            _states.Clear();
            _lastStates = Environment.TickCount64;
        }
        _agent.TryTell(client => client.NoteStates(Id, _bootWord, states));
    }

    internal void SendNotes()
    {
        SendStates();
        (byte[] FileId, string Path)[] notes;
        lock (_stock)
        {
            if (_notes.Count == 0)
                return;
            notes = [.. _notes];
            _notes.Clear();
            _lastNotes = Environment.TickCount64;
        }
        _agent.Ask(Id, Root, client =>
        {
            client.NoteCreated(Id, notes);
            return true;
        });
    }
}
