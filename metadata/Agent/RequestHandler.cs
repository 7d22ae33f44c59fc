using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>Answers one packet (the table is at <see cref="AgentMessage"/>). Knows volumes and keys, not sockets.</summary>
internal sealed class RequestHandler : IDisposable
{
    private readonly ServedVolumes _volumes;
    private readonly KeyAnswers _keys;
    private readonly PageRegistry? _pages;
    private readonly LogLimiter _log;
    private readonly Func<int> _countConnections;
    private readonly ProcessWatch _watch;
    private readonly long _started = Environment.TickCount64;

    internal RequestHandler(IReadOnlyList<KeyPool> pools, PageRegistry? pages, LogLimiter log, Func<int> countConnections, AgentMetrics? metrics = null,
        ProcessWatch? watch = null)
    {
        metrics ??= new AgentMetrics();
        _watch = watch ?? new ProcessWatch([]);
        _volumes = new ServedVolumes(pools, log, metrics);
        _keys = new KeyAnswers(_volumes, metrics);
        Audits = [.. _volumes.All.Select(volume => volume.Audit)];
        _pages = pages;
        _log = log;
        _countConnections = countConnections;
    }

    internal IReadOnlyList<AgentAudit> Audits { get; }

    /// <summary>Somebody was not let in.</summary>
    internal void NoteRefused(PeerCredentials peer, string result)
    {
        foreach (AgentAudit audit in Audits)
        {
            try
            {
                if (audit.Begin())
                    audit.Denied(new AuditSubject(peer.UserId, peer.GroupId, peer.ProcessId, AgentAudit.ExecutableOf(peer.ProcessId)), null, result);
            }
            catch (Exception e) when (e is VolumeException or ErrnoException)
            {
                _log.Write(e.Message); // he is refused all the same
            }
        }
    }

    public void Dispose() => _volumes.Dispose();

    /// <summary>
    /// Handles a request other than adopt. <paramref name="replyLength"/> is 0 when there is nothing to answer.
    /// </summary>
    /// <param name="received">The descriptor that came along, or -1; -1 afterwards if it was kept.</param>
    /// <param name="lent">A descriptor that goes with the reply, to be closed afterwards; -1 if none.</param>
    /// <returns>False: the packet breaks the protocol, the connection must be closed.</returns>
    internal bool TryHandle(
        Connection from, ReadOnlySpan<byte> packet, ref int received, Span<byte> reply, out int replyLength, out int lent)
    {
        replyLength = 0;
        lent = -1;
        PacketReader request = new(packet);
        if (request.Status != 0 || from.IsGreeted == (request.Kind == AgentMessage.Hello))
            return false;
        bool mayHaveDescriptor = request.Kind is AgentMessage.GetKeys or AgentMessage.TakeNewKeys;
        if (!mayHaveDescriptor && received >= 0 != (request.Kind is AgentMessage.Reopen or AgentMessage.Size or AgentMessage.Pages or AgentMessage.Counters))
            return false;
        if (request.Kind == AgentMessage.Counters)
            return request.IsComplete && ProcessWatch.TryShare(from, received);
        if (request.Kind == AgentMessage.NoteCreated)
            return TryNote(from, ref request);
        if (request.Kind is AgentMessage.NoteStates or AgentMessage.NoteUses)
            return TryNoteStates(ref request, request.Kind == AgentMessage.NoteUses);
        PacketWriter answer = Begin(reply, request, 0);
        int error;
        switch (request.Kind)
        {
            case AgentMessage.Hello: error = Greet(from, ref request, ref answer); break;
            case AgentMessage.Attach: error = Attach(from, ref request, ref answer); break;
            case AgentMessage.GetKeys or AgentMessage.TakeNewKeys or AgentMessage.MoreKeys: error = _keys.Answer(from, ref request, received, ref answer); break;
            case AgentMessage.Lend: error = Lend(ref request, out lent); break;
            case AgentMessage.Pages: error = Pages(from, ref request, ref received, ref answer, out lent); break;
            case AgentMessage.Reopen: error = Reopen(ref request, received, out lent); break;
            case AgentMessage.Size: error = SizeOf(ref request, received, ref answer); break;
            case AgentMessage.Processes: error = Processes(ref request, ref answer); break;
            case AgentMessage.Status: error = Status(ref request, ref answer); break;
            default: return false;
        }
        if (!request.IsComplete)
        {
            PacketSocket.CloseIfOpen(ref lent);
            return false;
        }
        if (error != 0)
            answer = Begin(reply, request, error);
        replyLength = answer.Length;
        return true;
    }

    private static PacketWriter Begin(Span<byte> reply, PacketReader request, int error) =>
        new(reply, (ushort)(request.Kind | AgentMessage.ReplyBit), (ushort)error, request.Request);

    private static int Greet(Connection from, ref PacketReader request, ref PacketWriter answer)
    {
        uint magic = request.UInt32();
        int lowest = request.UInt16(), highest = request.UInt16();
        if (magic != AgentMessage.Magic || lowest > AgentMessage.Version || highest < AgentMessage.OldestVersion || lowest > highest)
            return Errno.Protocol;
        from.IsGreeted = true;
        from.Version = (ushort)Math.Min(highest, AgentMessage.Version);
        answer.UInt16(from.Version);
        answer.UInt16(AgentMessage.MaxKeysPerRequest);
        answer.UInt32((uint)Environment.ProcessId);
        return 0;
    }

    private int Attach(Connection from, ref PacketReader request, ref PacketWriter answer)
    {
        ulong device = request.UInt64(), inode = request.UInt64();
        _ = request.Text();
        ServedVolume? served = _volumes.Find(device, inode);
        if (served is null)
            return Errno.NoEntry;
        bool seesCiphertext;
        try
        {
            seesCiphertext = served.Policy.SeesCiphertext(from);
        }
        catch (VolumeException e)
        {
            return _volumes.Report(e);
        }
        UnlockedVolume volume = served.Pool.Volume;
        answer.Bytes(volume.VolumeId.Span);
        answer.Byte((byte)volume.Suite);
        answer.Byte(volume.Compress ? (byte)1 : (byte)0);
        answer.Byte((byte)volume.BlockSizeLog2);
        answer.Byte(seesCiphertext ? AgentMessage.ViewCiphertext : AgentMessage.ViewPlain);
        return 0;
    }

    private bool TryNote(Connection from, ref PacketReader note)
    {
        ServedVolume? volume = _volumes.Find(note.Bytes(AgentMessage.VolumeIdSize));
        do
        {
            ReadOnlySpan<byte> fileId = note.Bytes(AgentMessage.FileIdSize);
            string path = note.Text();
            if (!note.IsComplete && !note.HasMore)
                return false;
            if (volume is null)
                continue;
            // Where it was made is known already, if its key was given for that place.
            string place = volume.Pool.PlaceOf(fileId) ?? path;
            volume.Pool.NoteCreated(fileId, place);
            volume.Audit.Created(from, fileId, place);
        }
        while (note.HasMore);
        return true;
    }

    private bool TryNoteStates(ref PacketReader note, bool hasSeals)
    {
        ServedVolume? volume = _volumes.Find(note.Bytes(AgentMessage.VolumeIdSize));
        uint bootWord = note.UInt32();
        int count = note.UInt16();
        for (int i = 0; i < Math.Min(count, AgentMessage.MaxStates); i++)
        {
            ReadOnlySpan<byte> fileId = note.Bytes(AgentMessage.FileIdSize);
            ulong sequence = note.UInt64();
            uint seals = hasSeals ? note.UInt32() : 0;
            if (fileId.IsEmpty)
                return false; // the packet is too short
            volume?.Pool.NoteState(fileId, sequence, bootWord, seals);
        }
        return note.IsComplete;
    }

    private int Lend(ref PacketReader request, out int lent)
    {
        lent = -1;
        ServedVolume? volume = _volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        byte what = request.Byte();
        if (volume is null || !request.IsComplete || what > AgentMessage.LendCoherence)
            return Errno.NoEntry;
        string name = what == AgentMessage.LendLocks ? VolumePaths.LocksName : VolumePaths.CoherenceName;
        // Opened for each: an open-file-description lock must be its process's own.
        lent = FileCalls.Open($"{volume.Pool.Volume.Root}/{VolumePaths.DirectoryName}/{name}", FileCalls.ReadWrite | FileCalls.CloseOnExec, 0);
        return lent >= 0 ? 0 : Errno.Last;
    }

    private int Pages(Connection from, ref PacketReader request, ref int received, ref PacketWriter answer, out int lent)
    {
        lent = -1;
        ServedVolume? volume = _volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        byte[] fileId = request.Bytes(AgentMessage.FileIdSize).ToArray();
        byte how = request.Byte();
        string deputy = request.Text();
        if (volume is null || !request.IsComplete || how > AgentMessage.PagesOffer)
            return Errno.NoEntry;
        if (_pages is null && how == AgentMessage.PagesOffer)
            return Errno.NoDevice;
        if (how == AgentMessage.PagesOffer)
        {
            PacketSocket.CloseIfOpen(ref from.Offered);
            (from.Offered, received) = (received, -1);
            return 0;
        }
        try
        {
            AgentAudit audit = volume.Audit;
            _ = audit.Begin();
            // Pages are the file's content.
            int refusal = volume.Policy.Judge(from, fileId, received, out _);
            if (refusal != 0)
                return refusal;
            if (_pages is null)
                return Errno.NoDevice;
            int error = _pages.Open(from, new PageRequest(volume.Pool.Volume, fileId, how, deputy), ref received, out lent, out string elsewhere);
            if (error == 0 && !answer.TryText(elsewhere))
                error = Errno.NameTooLong;
            if (error == 0 && elsewhere.Length == 0 && how != AgentMessage.PagesView)
                audit.Granted(from, fileId, "shared mapping");
            return error;
        }
        catch (ErrnoException e)
        {
            _log.Write(e.Message);
            return e.Errno;
        }
        catch (VolumeException e)
        {
            return _volumes.Report(e);
        }
    }

    private int Reopen(ref PacketReader request, int received, out int lent)
    {
        lent = -1;
        ServedVolume? volume = _volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        if (volume is null || !request.IsComplete)
            return Errno.NoEntry;
        string root = volume.Pool.Volume.Root;
        bool canWrite = DescriptorCheck.IsWritableFileIn(root, received);
        if (!canWrite && !DescriptorCheck.IsReadableFileIn(root, received))
            return Errno.NotPermitted;
        int mode = canWrite ? FileCalls.ReadWrite : FileCalls.ReadOnly;
        lent = FileCalls.Open(DescriptorCheck.PathOf(received), mode | FileCalls.CloseOnExec, 0);
        return lent >= 0 ? 0 : Errno.Last;
    }

    private int SizeOf(ref PacketReader request, int received, ref PacketWriter answer)
    {
        ServedVolume? volume = _volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        if (volume is null || _pages is null || !request.IsComplete)
            return Errno.NoEntry;
        if (!DescriptorCheck.IsFileIn(volume.Pool.Volume.Root, received))
            return Errno.NotPermitted;
        int opened = FileCalls.Open(DescriptorCheck.PathOf(received), FileCalls.ReadOnly | FileCalls.CloseOnExec | FileCalls.NonBlocking, 0);
        if (opened < 0)
            return Errno.Last;
        try
        {
            long size = _pages.ClaimedSize(opened);
            answer.UInt64((ulong)size);
            return size >= 0 ? 0 : Errno.NotPermitted;
        }
        catch (ErrnoException e)
        {
            return e.Errno;
        }
        finally
        {
            PacketSocket.CloseIfOpen(ref opened);
        }
    }

    private int Status(ref PacketReader request, ref PacketWriter answer)
    {
        if (!request.IsComplete)
            return Errno.Invalid;
        answer.UInt64((ulong)(Environment.TickCount64 - _started));
        answer.UInt64((ulong)_keys.Found);
        answer.UInt64((ulong)_keys.HandedOut);
        answer.UInt32((uint)_countConnections());
        int countAt = answer.Length;
        answer.UInt16(0);
        ushort listed = 0;
        const int LargestItem = AgentMessage.VolumeIdSize + sizeof(uint) + sizeof(ushort) + AgentMessage.MaxText;
        foreach (KeyPool pool in _volumes.All.Select(volume => volume.Pool))
        {
            // What does not fit is not listed; one packet is enough for any real list.
            if (answer.Room < LargestItem)
                break;
            answer.Bytes(pool.Volume.VolumeId.Span);
            answer.UInt32((uint)pool.Count);
            if (!answer.TryText(pool.Volume.Root))
                _ = answer.TryText("");
            listed++;
        }
        answer.SetUInt16(countAt, listed);
        return 0;
    }

    private int Processes(ref PacketReader request, ref PacketWriter answer)
    {
        uint first = request.UInt32();
        if (!request.IsComplete)
            return Errno.Invalid;
        _watch.List(first, ref answer);
        return 0;
    }
}
