using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>What an agent does when nobody waits for an answer: pools are refilled, notes and records written, worn keys replaced.</summary>
internal sealed class AgentUpkeep(List<KeyPool> pools, IReadOnlyList<AgentAudit> audits, WornKeys? worn, AgentMetrics metrics, Action<string> log)
{
    private const int NotesMilliseconds = 200;
    private const int RetryMilliseconds = 1_000;

    /// <summary>How often it is looked whether another thread has ended its writing, if nobody asks for anything.</summary>
    private const int WritingMilliseconds = 10;

    private long _notesSince = -1, _notBefore;

    /// <summary>When there will be something to do, by <see cref="Environment.TickCount64"/>.</summary>
    internal long DueAt(long now)
    {
        long due = long.MaxValue;
        if (pools.Exists(pool => pool.IsWriting))
            due = Math.Min(due, now + WritingMilliseconds);
        if (pools.Exists(pool => pool.IsLow && !pool.IsWriting))
            due = Math.Min(due, _notBefore);
        if (_notesSince >= 0)
            due = Math.Min(due, Math.Max(_notBefore, _notesSince + NotesMilliseconds));
        foreach (AgentAudit audit in audits)
            due = Math.Min(due, Math.Max(_notBefore, audit.DueAt));
        if (worn is { WaitMilliseconds: >= 0 })
            due = Math.Min(due, now + worn.WaitMilliseconds);
        return due;
    }

    internal void KeepUp()
    {
        long now = Environment.TickCount64;
        bool hasNotes = pools.Exists(pool => pool.HasNotes);
        if (!hasNotes)
            _notesSince = -1;
        else if (_notesSince < 0)
            _notesSince = now;
        foreach (KeyPool pool in pools)
            Attempt(() => NoteWritten(pool.TryFinish()));
        if (now < _notBefore)
            return;
        KeepUpPools(areNotesDue: hasNotes && now - _notesSince >= NotesMilliseconds);
        foreach (KeyPool pool in pools)
            foreach (byte[] fileId in pool.TakeWorn())
                worn?.Add(pool.Volume, fileId);
        worn?.KeepUp();
        foreach (AgentAudit audit in audits)
            if (now >= audit.DueAt)
                Attempt(audit.Flush);
        if (!pools.Exists(pool => pool.HasNotes))
            _notesSince = -1;
    }

    /// <summary>Writes what is recorded, and replaces no more keys.</summary>
    internal void EndRecords()
    {
        foreach (AgentAudit audit in audits)
            Attempt(audit.Flush);
        worn?.Dispose();
    }

    /// <summary>Last of all: nobody takes a key any more.</summary>
    internal void EndPools()
    {
        foreach (KeyPool pool in pools)
            Attempt(pool.Retire);
    }

    private void KeepUpPools(bool areNotesDue)
    {
        foreach (KeyPool pool in pools)
        {
            if (pool.IsWriting)
                continue;
            bool mustWriteNotes = pool.IsFullOfNotes || (areNotesDue && pool.HasNotes);
            if (pool.IsLow || (mustWriteNotes && pool.IsUsed))
                Attempt(pool.BeginRefill);
            else if (mustWriteNotes)
                Attempt(pool.BeginFlush);
        }
    }

    private void NoteWritten(TimeSpan? took)
    {
        if (took is { } known)
            metrics.StoreWrites.Add(known);
    }

    /// <summary>Nothing of this may end the agent: a full disk is a line in the log, and tried again later.</summary>
    private void Attempt(Action upkeep)
    {
        try
        {
            upkeep();
        }
        catch (Exception e) when (e is VolumeException or ErrnoException)
        {
            metrics.CountStoreFailure();
            log(e.Message);
            _notBefore = Environment.TickCount64 + RetryMilliseconds;
        }
    }
}
