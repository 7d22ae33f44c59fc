using System;
using System.Collections.Generic;
using System.Linq;
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

    private const int HandoverMilliseconds = 2_000;

    private const int MaxEntries = 16_384;

    private readonly IPageSealer _sealer;
    private readonly string _ownSocket;
    private readonly Action<string> _log;
    private readonly Dictionary<(UnlockedVolume Volume, ulong Device, ulong Inode), PageEntry> _entries = [];
    private readonly Dictionary<UnlockedVolume, VolumePages> _kept = [];

    /// <summary>Other agents whose processes ask here: they can inherit.</summary>
    private readonly HashSet<string> _deputies = [];

    /// <summary>Where this agent can be found by a keeper of another container that has something to leave it.</summary>
    private readonly Dictionary<UnlockedVolume, AgentListener?> _deputyDoors = [];
    private long _noLookBefore;

    internal PageRegistry(IPageSealer sealer, string ownSocket, Action<string> log)
    {
        _sealer = sealer;
        _ownSocket = ownSocket;
        _log = log;
    }

    /// <inheritdoc cref="IPageSealer.ClaimedSize"/>
    internal long ClaimedSize(int backing) => _sealer.ClaimedSize(backing);

    /// <summary>Sockets beside the agent's own one that it has to listen at. Grows until disposal.</summary>
    internal List<AgentListener> Doors { get; } = [];

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
    internal unsafe int Open(Connection from, PageRequest request, ref int backing, out int lent, out string elsewhere)
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
        VolumePages? kept = Keep(request.Volume);
        if (kept is null)
        {
            BecomeDeputy(request.Volume);
            elsewhere = KeeperAddress.Find(request.Volume.Root);
            return elsewhere.Length > 0 ? 0 : Errno.TryAgain;
        }
        int error = Find(from, request, status, CanSeal(flags), kept, ref backing, out PageEntry? entry);
        PacketSocket.CloseIfOpen(ref from.Offered);
        if (entry is null)
            return error;
        // Whoever wants to look, and finds that nobody maps it: there is no reason to keep it any longer, and one to execute the file.
        bool hasFailed = entry.LastUse > Environment.TickCount64; // it could not be sealed: the pages are the truth, until it can
        if (request.How == AgentMessage.PagesView && !entry.IsMapped && !hasFailed)
        {
            bool isSealed = TryRetire(request.Volume, entry, isPatient: false);
            if (isSealed)
                Remove((request.Volume, status.Device, status.Inode));
            if (isSealed || entry.Sealing is not null)
                return isSealed ? Errno.NoEntry : Errno.TryAgain;
        }
        entry.Improve(ref backing, CanSeal(flags));
        // Who may only read the file must not write what others would seal; filling it is left to the agent's own user then.
        bool isMaking = request.How == AgentMessage.PagesMake;
        bool canWrite = mode == FileCalls.ReadWrite || (isMaking && from.UserId == ProcessCalls.EffectiveUserId());
        if (!canWrite && isMaking && !entry.IsFilled)
            return Errno.AccessDenied;
        lent = entry.Reopen(canWrite, isLocked: request.How != AgentMessage.PagesView);
        if (lent < 0)
            return Errno.Last;
        // The same address, in another container, is another agent's.
        if (request.Deputy.Length > 0 && request.Deputy != _ownSocket)
            _ = _deputies.Add(request.Deputy);
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
            if (TryRetire(name.Volume, entry, isPatient: true))
                gone.Add(name);
        }
        foreach ((UnlockedVolume, ulong, ulong) name in gone)
            Remove(name);
    }

    private VolumePages? Keep(UnlockedVolume volume)
    {
        if (!_kept.TryGetValue(volume, out VolumePages? kept) && (kept = VolumePages.TryElect(volume.Root, _ownSocket)) is not null)
        {
            _kept.Add(volume, kept);
            if (kept.Door is not null)
                Doors.Add(kept.Door);
        }
        return kept;
    }

    private void BecomeDeputy(UnlockedVolume volume)
    {
        if (_deputyDoors.ContainsKey(volume))
            return;
        AgentListener? door = VolumeDoor.TryOpenDeputy(volume.Root);
        _deputyDoors.Add(volume, door); // null, too: it is not tried at each question
        if (door is not null)
            Doors.Add(door);
    }

    /// <summary>The entry that is asked for; made, or inherited from who asks, if there is none.</summary>
    /// <returns>The errno if <paramref name="entry"/> is null.</returns>
    private int Find(
        Connection from, PageRequest request, in FileStatus status, bool canSeal, VolumePages kept, ref int backing, out PageEntry? entry)
    {
        (UnlockedVolume, ulong, ulong) name = (request.Volume, status.Device, status.Inode);
        if (_entries.TryGetValue(name, out entry))
        {
            if (entry.FileId.AsSpan().SequenceEqual(request.FileId))
                return 0;
            entry = null;
            return Errno.Busy;
        }
        bool isOrphan = kept.Orphans.Contains(status.Inode);
        if (isOrphan && !kept.IsHeld(status.Inode))
        {
            Forget(kept, status.Inode);
            isOrphan = false;
        }
        if (_entries.Count >= MaxEntries)
            return Errno.TooManyFilesOfAll;
        if (isOrphan)
        {
            if (from.Offered < 0 || !canSeal)
                return Errno.Busy;
            entry = PageEntry.Inherit(status.Device, status.Inode, request.FileId, ref from.Offered, ref backing);
            _ = kept.Orphans.Remove(status.Inode); // counted as live already
        }
        else if (request.How == AgentMessage.PagesMake)
        {
            entry = PageEntry.Make(status.Device, status.Inode, request.FileId, ref backing, canSeal);
            kept.Live.Begin(status.Inode);
        }
        else
        {
            return Errno.NoEntry;
        }
        _entries.Add(name, entry);
        return 0;
    }

    /// <summary>The processes that mapped it have gone, and sealed what they could.</summary>
    private static void Forget(VolumePages kept, ulong inode)
    {
        _ = kept.Orphans.Remove(inode);
        kept.Live.End(inode);
    }

    /// <summary>
    /// The end of the agent: everything that may have changed is sealed, mapped or not. What is still mapped, by processes of
    /// other agents or ones left behind, goes to another agent if one is known; else those processes seal it themselves.
    /// </summary>
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
            if (!_entries[name].IsMapped)
                Remove(name);
        }
        Doors.Clear();
        foreach (AgentListener? door in _deputyDoors.Values)
            door?.Dispose(); // we ourselves are no heir
        _deputyDoors.Clear();
        foreach (VolumePages kept in _kept.Values)
            kept.Dispose(); // others may now be elected
        _kept.Clear();
        foreach (((UnlockedVolume Volume, ulong, ulong) name, PageEntry entry) in _entries)
        {
            _ = _deputies.Concat(VolumeDoor.DeputyPaths(name.Volume.Root)).Any(deputy => TryBequeath(deputy, name.Volume, entry));
            entry.LetGo();
        }
        _entries.Clear();
    }

    private static bool TryBequeath(string deputy, UnlockedVolume volume, PageEntry entry)
    {
        if (!entry.CanSeal)
            return false;
        try
        {
            using AgentClient client = AgentClient.Connect(deputy, HandoverMilliseconds);
            int view = client.OfferPages(volume.VolumeId.Span, entry.FileId, entry.Pages, entry.Backing, "", out _);
            bool isTaken = view >= 0;
            PacketSocket.CloseIfOpen(ref view);
            return isTaken;
        }
        catch (ErrnoException)
        {
            return false; // that one has ended, too
        }
    }

    /// <param name="isPatient">Waits for some time after the last use.</param>
    /// <returns>It is sealed, and nobody has asked for it since.</returns>
    private bool TryRetire(UnlockedVolume volume, PageEntry entry, bool isPatient)
    {
        long now = Environment.TickCount64;
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
        if ((isPatient && now - entry.LastUse < GraceMilliseconds) || entry.IsMapped)
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
        SecretMemory key = new(2 * AgentMessage.KeySize);
        int count;
        try
        {
            count = volume.GetFileKeys(entry.FileId, key.Bytes);
            if (count == 0)
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
                    _sealer.Seal(order, key.Bytes[..(count * AgentMessage.KeySize)]);
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
