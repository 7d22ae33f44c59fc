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
    // Far beyond what a program that creates files needs; a bound for one that only takes.
    internal const long MaxKeysPerConnection = 16 * 1024 * 1024;

    private readonly IReadOnlyList<KeyPool> _pools;
    private readonly List<AgentAudit> _audits;
    private readonly List<AgentPolicy> _policies;
    private readonly PageRegistry? _pages;
    private readonly LogLimiter _log;
    private readonly Func<int> _countConnections;
    private readonly AgentMetrics _metrics;
    private readonly ProcessWatch _watch;
    private readonly long _started = Environment.TickCount64;
    private long _keysFound, _keysHandedOut;

    internal RequestHandler(IReadOnlyList<KeyPool> pools, PageRegistry? pages, LogLimiter log, Func<int> countConnections, AgentMetrics? metrics = null,
        ProcessWatch? watch = null)
    {
        _metrics = metrics ?? new AgentMetrics();
        _watch = watch ?? new ProcessWatch([]);
        _pools = pools;
        _audits = [.. pools.Select(pool => new AgentAudit(pool))];
        _policies = [.. pools.Select((pool, i) => new AgentPolicy(pool, _audits[i], log))];
        _pages = pages;
        _log = log;
        _countConnections = countConnections;
    }

    /// <summary>One for each pool.</summary>
    internal IReadOnlyList<AgentAudit> Audits => _audits;

    /// <summary>Somebody was not let in.</summary>
    internal void NoteRefused(PeerCredentials peer, string result)
    {
        foreach (AgentAudit audit in _audits)
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

    public void Dispose()
    {
        _policies.ForEach(policy => policy.Dispose());
        _audits.ForEach(audit => audit.Dispose());
    }

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
        if (!mayHaveDescriptor && received >= 0 != (request.Kind is AgentMessage.Reopen or AgentMessage.Pages or AgentMessage.Counters))
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
            case AgentMessage.GetKeys or AgentMessage.TakeNewKeys or AgentMessage.MoreKeys: error = AnswerKeys(from, ref request, received, ref answer); break;
            case AgentMessage.Lend: error = Lend(ref request, out lent); break;
            case AgentMessage.Pages: error = Pages(from, ref request, ref received, ref answer, out lent); break;
            case AgentMessage.Reopen: error = Reopen(ref request, received, out lent); break;
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
        KeyPool? pool = _pools.FirstOrDefault(known => known.Volume.Device == device && known.Volume.Inode == inode);
        if (pool is null)
            return Errno.NoEntry;
        UnlockedVolume volume = pool.Volume;
        bool seesCiphertext;
        try
        {
            seesCiphertext = PolicyOf(pool).SeesCiphertext(from);
        }
        catch (VolumeException e)
        {
            return Report(e);
        }
        answer.Bytes(volume.VolumeId.Span);
        answer.Byte((byte)volume.Suite);
        answer.Byte(volume.Compress ? (byte)1 : (byte)0);
        answer.Byte((byte)volume.BlockSizeLog2);
        answer.Byte(seesCiphertext ? AgentMessage.ViewCiphertext : AgentMessage.ViewPlain);
        return 0;
    }

    private int AnswerKeys(Connection from, ref PacketReader request, int file, ref PacketWriter answer)
    {
        long started = Stopwatch.GetTimestamp();
        int error = request.Kind switch
        {
            AgentMessage.GetKeys => GetKeys(from, ref request, file, ref answer),
            AgentMessage.MoreKeys => MoreKeys(from, ref request, ref answer),
            _ => TakeNewKeys(from, ref request, file, ref answer),
        };
        _metrics.KeyRequests.Add(started);
        if (error != 0)
            _metrics.CountDenied();
        return error;
    }

    private int GetKeys(Connection from, ref PacketReader request, int file, ref PacketWriter answer)
    {
        KeyPool? pool = FindPool(request.Bytes(AgentMessage.VolumeIdSize));
        ReadOnlySpan<byte> fileId = request.Bytes(AgentMessage.FileIdSize);
        int most = request.UInt16();
        if (pool is null || !request.IsComplete)
            return Errno.NoEntry;
        if (most > AgentMessage.MaxKeysPerRequest && most != AgentMessage.IsThereAKey)
            return Errno.Invalid;
        try
        {
            if (most == AgentMessage.IsThereAKey)
                return HasKey(pool, fileId, ref answer);
            AgentAudit audit = AuditOf(pool);
            int refusal = PolicyOf(pool).Judge(from, fileId, file, out bool mayGiveOthers);
            if (refusal != 0)
                return refusal;
            if (most == 0)
                return GetAllKeys(from, pool, audit, fileId, ref answer);
            if (!mayGiveOthers)
                most = 1;
            // Keys that come unasked would be recorded for files that nobody opens.
            if (audit.Begin())
                most = 1;
            Span<byte> count = answer.Reserve(sizeof(ushort));
            answer.Bytes(fileId);
            if (!pool.Volume.TryGetFileKey(fileId, answer.Reserve(AgentMessage.KeySize)))
            {
                audit.Denied(AgentAudit.SubjectOf(from), fileId.ToArray(), "no such key");
                return Errno.NoEntry;
            }
            audit.Granted(from, fileId);
            int found = 1;
            long row = most > 1 ? pool.Volume.Store.KeyRows.Find(fileId) : 0;
            if (row > 0)
                found += AddKeys(pool, from.Keys.Around(pool, row, most), from.Keys.IsAscending, most - 1, fileId, ref answer, out _);
            BinaryPrimitives.WriteUInt16LittleEndian(count, (ushort)found);
            _keysFound += found;
            return 0;
        }
        catch (VolumeException e)
        {
            return Report(e);
        }
    }

    /// <summary>Asked for before they are needed; to whom no others may be given gets none.</summary>
    private int MoreKeys(Connection from, ref PacketReader request, ref PacketWriter answer)
    {
        KeyPool? pool = FindPool(request.Bytes(AgentMessage.VolumeIdSize));
        int most = request.UInt16();
        if (pool is null || !request.IsComplete)
            return Errno.NoEntry;
        if (most is 0 or > AgentMessage.MaxKeysPerRequest)
            return Errno.Invalid;
        try
        {
            Span<byte> count = answer.Reserve(sizeof(ushort));
            int found = 0;
            if (!AuditOf(pool).Begin() && PolicyOf(pool).GivesAll(from))
            {
                (long First, long Last) rows = from.Keys.Next(pool, most);
                found = AddKeys(pool, rows, from.Keys.IsAscending, most, default, ref answer, out (long First, long Last) reached);
                if (found > 0)
                    from.Keys.Came(reached.First, reached.Last);
            }
            BinaryPrimitives.WriteUInt16LittleEndian(count, (ushort)found);
            _keysFound += found;
            return 0;
        }
        catch (VolumeException e)
        {
            return Report(e);
        }
    }

    /// <summary>Keys of the files that exist and whose rows lie there, but for one; a key that cannot be read is left out: whoever asks for that one is told.</summary>
    /// <param name="reached">Up to the last of them.</param>
    private static int AddKeys(KeyPool pool, (long First, long Last) rows, bool isAscending, int most, ReadOnlySpan<byte> except, ref PacketWriter answer,
        out (long First, long Last) reached)
    {
        KeyRows found = pool.Volume.Store.KeyRows;
        Span<byte> key = stackalloc byte[AgentMessage.KeySize];
        int count = 0;
        reached = rows;
        found.Start(rows.First, rows.Last, isAscending);
        try
        {
            while (count < most && found.Next())
            {
                reached = isAscending ? (rows.First, found.Row) : (found.Row, rows.Last);
                ReadOnlySpan<byte> fileId = found.FileId;
                bool isMade = fileId.Length == AgentMessage.FileIdSize && (found.State == FileState.Live || pool.IsNoted(fileId));
                if (!isMade || fileId.SequenceEqual(except) || !pool.Volume.TryUnwrap(fileId, found.KeyVersion, found.WrappedKey, key))
                    continue;
                answer.Bytes(fileId);
                answer.Bytes(key);
                count++;
            }
        }
        finally
        {
            found.Stop();
            Secret.Wipe(key);
        }
        return count;
    }

    private static int HasKey(KeyPool pool, ReadOnlySpan<byte> fileId, ref PacketWriter answer)
    {
        if (pool.Volume.Store.TryFindFile(fileId) is null)
            return Errno.NoEntry;
        answer.UInt16(0);
        return 0;
    }

    /// <summary>A file that is given another key has two.</summary>
    private int GetAllKeys(Connection from, KeyPool pool, AgentAudit audit, ReadOnlySpan<byte> fileId, ref PacketWriter answer)
    {
        _ = audit.Begin();
        Span<byte> keys = stackalloc byte[2 * AgentMessage.KeySize];
        int count = pool.Volume.GetFileKeys(fileId, keys);
        if (count == 0)
        {
            audit.Denied(AgentAudit.SubjectOf(from), fileId.ToArray(), "no such key");
            return Errno.NoEntry;
        }
        audit.Granted(from, fileId);
        answer.UInt16((ushort)count);
        for (int i = 0; i < count; i++)
        {
            answer.Bytes(fileId);
            answer.Bytes(keys.Slice(i * AgentMessage.KeySize, AgentMessage.KeySize));
        }
        Secret.Wipe(keys);
        _keysFound += count;
        return 0;
    }

    private int TakeNewKeys(Connection from, ref PacketReader request, int file, ref PacketWriter answer)
    {
        KeyPool? pool = FindPool(request.Bytes(AgentMessage.VolumeIdSize));
        int wanted = request.UInt16();
        if (pool is null || !request.IsComplete)
            return Errno.NoEntry;
        if (wanted is 0 or > AgentMessage.MaxKeysPerRequest)
            return Errno.Invalid;
        AgentAudit audit = AuditOf(pool);
        NewFile? place;
        try
        {
            _ = audit.Begin();
            int refusal = PolicyOf(pool).JudgeNew(from, file, out place);
            if (refusal != 0)
                return refusal;
            if (place is not null)
                wanted = 1;
            if (from.KeysTaken + wanted > MaxKeysPerConnection)
            {
                audit.Denied(AgentAudit.SubjectOf(from), null, "far too many new keys");
                return Errno.QuotaExceeded;
            }
            pool.AwaitKeys();
        }
        catch (VolumeException e)
        {
            return Report(e);
        }
        // Fewer than wanted rather than a wait for the disk.
        int derivedSize = from.Version >= AgentMessage.VersionWithDerived ? DataKey.DerivedSize : 0;
        int room = (answer.Room - sizeof(ushort) - AgentMessage.SettingsSize) / (AgentMessage.FileIdSize + AgentMessage.KeySize + derivedSize);
        int granted = Math.Min(Math.Min(wanted, room), pool.Count);
        answer.UInt16((ushort)granted);
        byte[][] fileIds = new byte[granted][];
        for (int i = 0; i < granted; i++)
        {
            Span<byte> fileId = answer.Reserve(AgentMessage.FileIdSize);
            Span<byte> key = answer.Reserve(AgentMessage.KeySize);
            pool.Take(fileId, key, answer.Reserve(derivedSize));
            fileIds[i] = fileId.ToArray();
        }
        if (place is not null && granted > 0)
        {
            pool.NotePlace(fileIds[0], place.Path, place.Settings);
            answer.Byte((byte)place.Settings.Suite);
            answer.Byte(place.Settings.Compress ? (byte)1 : (byte)0);
            answer.Byte((byte)place.Settings.BlockSizeLog2);
            answer.Byte(0);
        }
        audit.GrantedNew(from, fileIds);
        from.KeysTaken += granted;
        _keysHandedOut += granted;
        return 0;
    }

    private bool TryNote(Connection from, ref PacketReader note)
    {
        KeyPool? pool = FindPool(note.Bytes(AgentMessage.VolumeIdSize));
        do
        {
            ReadOnlySpan<byte> fileId = note.Bytes(AgentMessage.FileIdSize);
            string path = note.Text();
            if (!note.IsComplete && !note.HasMore)
                return false;
            if (pool is null)
                continue;
            // Where it was made is known already, if its key was given for that place.
            string place = pool.PlaceOf(fileId) ?? path;
            pool.NoteCreated(fileId, place);
            AuditOf(pool).Created(from, fileId, place);
        }
        while (note.HasMore);
        return true;
    }

    private bool TryNoteStates(ref PacketReader note, bool hasSeals)
    {
        KeyPool? pool = FindPool(note.Bytes(AgentMessage.VolumeIdSize));
        uint bootWord = note.UInt32();
        int count = note.UInt16();
        for (int i = 0; i < Math.Min(count, AgentMessage.MaxStates); i++)
        {
            ReadOnlySpan<byte> fileId = note.Bytes(AgentMessage.FileIdSize);
            ulong sequence = note.UInt64();
            uint seals = hasSeals ? note.UInt32() : 0;
            if (fileId.IsEmpty)
                return false; // the packet is too short
            pool?.NoteState(fileId, sequence, bootWord, seals);
        }
        return note.IsComplete;
    }

    private int Lend(ref PacketReader request, out int lent)
    {
        lent = -1;
        KeyPool? pool = FindPool(request.Bytes(AgentMessage.VolumeIdSize));
        byte what = request.Byte();
        if (pool is null || !request.IsComplete || what > AgentMessage.LendCoherence)
            return Errno.NoEntry;
        string name = what == AgentMessage.LendLocks ? VolumePaths.LocksName : VolumePaths.CoherenceName;
        // Opened for each: an open-file-description lock must be its process's own.
        lent = FileCalls.Open($"{pool.Volume.Root}/{VolumePaths.DirectoryName}/{name}", FileCalls.ReadWrite | FileCalls.CloseOnExec, 0);
        return lent >= 0 ? 0 : Errno.Last;
    }

    private int Pages(Connection from, ref PacketReader request, ref int received, ref PacketWriter answer, out int lent)
    {
        lent = -1;
        KeyPool? pool = FindPool(request.Bytes(AgentMessage.VolumeIdSize));
        byte[] fileId = request.Bytes(AgentMessage.FileIdSize).ToArray();
        byte how = request.Byte();
        string deputy = request.Text();
        if (pool is null || !request.IsComplete || how > AgentMessage.PagesOffer)
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
            AgentAudit audit = AuditOf(pool);
            _ = audit.Begin();
            // Pages are the file's content.
            int refusal = PolicyOf(pool).Judge(from, fileId, received, out _);
            if (refusal != 0)
                return refusal;
            if (_pages is null)
                return Errno.NoDevice;
            int error = _pages.Open(from, new PageRequest(pool.Volume, fileId, how, deputy), ref received, out lent, out string elsewhere);
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
            return Report(e);
        }
    }

    private int Reopen(ref PacketReader request, int received, out int lent)
    {
        lent = -1;
        KeyPool? pool = FindPool(request.Bytes(AgentMessage.VolumeIdSize));
        if (pool is null || !request.IsComplete)
            return Errno.NoEntry;
        if (!DescriptorCheck.IsWritableFileIn(pool.Volume.Root, received))
            return Errno.NotPermitted;
        lent = FileCalls.Open(DescriptorCheck.PathOf(received), FileCalls.ReadWrite | FileCalls.CloseOnExec, 0);
        return lent >= 0 ? 0 : Errno.Last;
    }

    private int Status(ref PacketReader request, ref PacketWriter answer)
    {
        if (!request.IsComplete)
            return Errno.Invalid;
        answer.UInt64((ulong)(Environment.TickCount64 - _started));
        answer.UInt64((ulong)_keysFound);
        answer.UInt64((ulong)_keysHandedOut);
        answer.UInt32((uint)_countConnections());
        int countAt = answer.Length;
        answer.UInt16(0);
        ushort listed = 0;
        const int LargestItem = AgentMessage.VolumeIdSize + sizeof(uint) + sizeof(ushort) + AgentMessage.MaxText;
        foreach (KeyPool pool in _pools)
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

    private AgentAudit AuditOf(KeyPool pool) => _audits[IndexOf(pool)];

    private AgentPolicy PolicyOf(KeyPool pool) => _policies[IndexOf(pool)];

    private int IndexOf(KeyPool pool)
    {
        for (int i = 0; i < _pools.Count; i++)
            if (ReferenceEquals(_pools[i], pool))
                return i;
        throw new ArgumentException("it is none of ours", nameof(pool));
    }

    private KeyPool? FindPool(ReadOnlySpan<byte> volumeId)
    {
        foreach (KeyPool pool in _pools)
        {
            if (pool.Volume.VolumeId.Span.SequenceEqual(volumeId))
                return pool;
        }
        return null;
    }

    /// <summary>One line for the log, and the errno that the program's open will fail with.</summary>
    private int Report(VolumeException e)
    {
        _metrics.CountStoreFailure();
        _log.Write(e.Message);
        return e.Error switch
        {
            VolumeError.DiskFull => Errno.NoSpace,
            VolumeError.Busy => Errno.Busy,
            _ => Errno.InputOutput,
        };
    }
}
