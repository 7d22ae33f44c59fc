using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// The page keeper: makes the page files of this agent's volumes, hands them out, and when nobody maps one any more (its
/// processes have unmapped it, ended or been killed) has it sealed and lets it go. Used by the agent's thread alone; only the
/// sealing itself runs on another one, since it may have to wait for a program.
/// </summary>
internal sealed class PageRegistry : IDisposable
{
    private const int LookMilliseconds = 200, SealingMilliseconds = 20, RetryMilliseconds = 1_000;

    /// <summary>A page file that was just made is mapped a moment later.</summary>
    private const int GraceMilliseconds = 500;

    private const int MaxEntries = 16_384;

    private readonly IPageSealer _sealer;
    private readonly string _ownSocket;
    private readonly Action<string> _log;
    private readonly Dictionary<(UnlockedVolume Volume, ulong Device, ulong Inode), PageEntry> _entries = [];
    private readonly Dictionary<UnlockedVolume, VolumePages> _kept = [];
    private long _noLookBefore;

    internal PageRegistry(IPageSealer sealer, string ownSocket, Action<string> log)
    {
        _sealer = sealer;
        _ownSocket = ownSocket;
        _log = log;
    }

    /// <summary>For how long the agent may sleep; -1: as long as it likes.</summary>
    internal int WaitMilliseconds => _entries.Count == 0 ? -1 : IsSealing ? SealingMilliseconds : LookMilliseconds;

    private bool IsSealing
    {
        get
        {
            foreach (PageEntry entry in _entries.Values)
            {
                if (entry.Sealing is not null)
                    return true;
            }
            return false;
        }
    }

    /// <summary>Answers "pages".</summary>
    /// <param name="backing">The descriptor that came along; -1 afterwards if it was kept.</param>
    /// <param name="lent">What goes with the reply, to be closed afterwards; -1 if none.</param>
    /// <param name="elsewhere">The socket of the agent to ask instead, or "".</param>
    /// <returns>0 or an errno.</returns>
    internal unsafe int Open(uint userId, UnlockedVolume volume, byte[] fileId, byte how, ref int backing, out int lent, out string elsewhere)
    {
        lent = -1;
        elsewhere = "";
        FileStatus status;
        int flags = FileCalls.Control(backing, FileCalls.GetFlags, 0);
        if (flags < 0 || FileCalls.Stat(backing, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) < 0)
            return Errno.Last;
        int mode = flags & FileCalls.AccessMode;
        if (status.Type != FileStatus.Regular || mode is not (FileCalls.ReadOnly or FileCalls.ReadWrite))
            return Errno.Invalid;
        if (!_kept.TryGetValue(volume, out VolumePages? kept))
        {
            kept = VolumePages.TryElect(volume.Root, _ownSocket);
            if (kept is null)
            {
                elsewhere = VolumePages.FindKeeper(volume.Root);
                return elsewhere.Length > 0 ? 0 : Errno.TryAgain;
            }
            _kept.Add(volume, kept);
        }
        (UnlockedVolume, ulong, ulong) name = (volume, status.Device, status.Inode);
        if (!_entries.TryGetValue(name, out PageEntry? entry) || !entry.FileId.AsSpan().SequenceEqual(fileId))
        {
            if (how != AgentMessage.PagesMake || entry is not null)
                return Errno.NoEntry;
            if (_entries.Count >= MaxEntries)
                return Errno.TooManyFilesOfAll;
            entry = new PageEntry(status.Device, status.Inode, fileId, ref backing, CanSeal(flags));
            _entries.Add(name, entry);
            kept.Live.Begin(status.Inode);
        }
        else
        {
            entry.Improve(ref backing, CanSeal(flags));
        }
        // Who may only read the file must not write what others would seal; filling it is left to the agent's own user then.
        bool canWrite = mode == FileCalls.ReadWrite || (how == AgentMessage.PagesMake && userId == ProcessCalls.EffectiveUserId());
        if (!canWrite && how == AgentMessage.PagesMake && !entry.IsFilled)
            return Errno.AccessDenied;
        lent = entry.Reopen(canWrite, isLocked: how != AgentMessage.PagesView);
        if (lent < 0)
            return Errno.Last;
        entry.Uses++;
        entry.LastUse = Environment.TickCount64;
        return 0;
    }

    /// <summary>Looks for page files that nobody maps any more; costs nothing while there are none.</summary>
    /// <param name="atOnce">A client has gone: do not wait for the time.</param>
    internal void KeepUp(bool atOnce)
    {
        long now = Environment.TickCount64;
        if (_entries.Count == 0 || (now < _noLookBefore && !atOnce && !IsSealing))
            return;
        _noLookBefore = now + LookMilliseconds;
        List<(UnlockedVolume, ulong, ulong)> gone = [];
        foreach (((UnlockedVolume Volume, ulong, ulong) name, PageEntry entry) in _entries)
        {
            if (TryRetire(name.Volume, entry, now))
                gone.Add(name);
        }
        foreach ((UnlockedVolume, ulong, ulong) name in gone)
            Remove(name);
    }

    /// <summary>The end of the agent: everything that may have changed is sealed, mapped or not.</summary>
    public void Dispose()
    {
        foreach (((UnlockedVolume Volume, ulong, ulong) name, PageEntry entry) in _entries)
        {
            entry.Sealing?.Wait();
            if (MustBeSealed(entry) && Begin(name.Volume, entry).Result is string failure)
                _log(failure);
        }
        foreach ((UnlockedVolume, ulong, ulong) name in new List<(UnlockedVolume, ulong, ulong)>(_entries.Keys))
        {
            // Who still maps it goes on with it, and seals it himself.
            if (!_entries[name].IsMapped)
                Remove(name);
        }
        foreach (VolumePages kept in _kept.Values)
            kept.Dispose();
        _kept.Clear();
    }

    /// <returns>It is sealed, and nobody has asked for it since.</returns>
    private bool TryRetire(UnlockedVolume volume, PageEntry entry, long now)
    {
        if (entry.Sealing is not null)
        {
            if (!entry.Sealing.IsCompleted)
                return false;
            string? failure = entry.Sealing.Result;
            entry.Sealing = null;
            if (failure is not null)
            {
                _log(failure);
                entry.LastUse = now + RetryMilliseconds;
            }
            return failure is null && entry.Uses == entry.UsesAtSealing && !entry.IsMapped;
        }
        if (now - entry.LastUse < GraceMilliseconds || entry.IsMapped)
            return false;
        if (!MustBeSealed(entry))
            return true;
        entry.UsesAtSealing = entry.Uses;
        entry.Sealing = Begin(volume, entry);
        return false;
    }

    private static bool MustBeSealed(PageEntry entry) => entry.CanSeal && entry.IsFilled && entry.MayBeDirty;

    /// <returns>What failed; null: nothing.</returns>
    private Task<string?> Begin(UnlockedVolume volume, PageEntry entry)
    {
        SecretMemory key = new(AgentMessage.KeySize);
        try
        {
            if (!volume.TryGetFileKey(entry.FileId, key.Bytes))
            {
                // Its row was deleted: nobody can read the file any more, nor needs it be written.
                key.Dispose();
                return Task.FromResult<string?>(null);
            }
        }
        catch (VolumeException e)
        {
            key.Dispose();
            return Task.FromResult<string?>(e.Message);
        }
        PageSealOrder order = new(volume.Root, volume.VolumeId.ToArray(), volume.BlockSizeLog2, entry.FileId, entry.Inode, entry.Backing, entry.Pages);
        return Task.Run(() =>
        {
            using (key)
            {
                try
                {
                    _sealer.Seal(order, key.Bytes);
                    return null;
                }
                catch (ErrnoException e)
                {
                    return $"changes made by mapping inode {order.Inode} of {order.VolumeRoot} are not sealed yet: {e.Message}";
                }
            }
        });
    }

    private void Remove((UnlockedVolume Volume, ulong Device, ulong Inode) name)
    {
        // First nobody may take it for the truth any more, then it is cut: see SharedPages on the reading side.
        _kept[name.Volume].Live.End(name.Inode);
        _entries[name].Dispose();
        _ = _entries.Remove(name);
    }

    private static bool CanSeal(int flags) => (flags & FileCalls.AccessMode) == FileCalls.ReadWrite && (flags & FileCalls.Append) == 0;
}
