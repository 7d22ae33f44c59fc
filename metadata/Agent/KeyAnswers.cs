using System;
using System.Buffers.Binary;
using System.Diagnostics;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>Answers those who ask for keys: of a file, of those that may be read next, for new files.</summary>
internal sealed class KeyAnswers(ServedVolumes volumes, AgentMetrics metrics)
{
    // Far beyond what a program that creates files needs; a bound for one that only takes.
    internal const long MaxKeysPerConnection = 16 * 1024 * 1024;

    /// <summary>How many keys of files that exist were given.</summary>
    internal long Found { get; private set; }

    /// <summary>How many keys for new files were given.</summary>
    internal long HandedOut { get; private set; }

    internal int Answer(Connection from, ref PacketReader request, int file, ref PacketWriter answer)
    {
        long started = Stopwatch.GetTimestamp();
        int error = request.Kind switch
        {
            AgentMessage.GetKeys => GetKeys(from, ref request, file, ref answer),
            AgentMessage.MoreKeys => MoreKeys(from, ref request, ref answer),
            _ => TakeNewKeys(from, ref request, file, ref answer),
        };
        metrics.KeyRequests.Add(started);
        if (error != 0)
            metrics.CountDenied();
        return error;
    }

    private int GetKeys(Connection from, ref PacketReader request, int file, ref PacketWriter answer)
    {
        ServedVolume? volume = volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        ReadOnlySpan<byte> fileId = request.Bytes(AgentMessage.FileIdSize);
        int most = request.UInt16();
        if (volume is null || !request.IsComplete)
            return Errno.NoEntry;
        if (most > AgentMessage.MaxKeysPerRequest && most != AgentMessage.IsThereAKey)
            return Errno.Invalid;
        try
        {
            if (most == AgentMessage.IsThereAKey)
                return HasKey(volume.Pool, fileId, ref answer);
            int refusal = volume.Policy.Judge(from, fileId, file, out bool mayGiveOthers);
            if (refusal != 0)
                return refusal;
            if (most == 0)
                return GetAllKeys(from, volume, fileId, ref answer);
            // Keys that come unasked would be recorded for files that nobody opens.
            return GetKeysAround(from, volume, fileId, volume.Audit.Begin() || !mayGiveOthers ? 1 : most, ref answer);
        }
        catch (VolumeException e)
        {
            return volumes.Report(e);
        }
    }

    private int GetKeysAround(Connection from, ServedVolume volume, ReadOnlySpan<byte> fileId, int most, ref PacketWriter answer)
    {
        KeyPool pool = volume.Pool;
        Span<byte> count = answer.Reserve(sizeof(ushort));
        answer.Bytes(fileId);
        if (!pool.Volume.TryGetFileKey(fileId, answer.Reserve(AgentMessage.KeySize)))
        {
            volume.Audit.Denied(AgentAudit.SubjectOf(from), fileId.ToArray(), "no such key");
            return Errno.NoEntry;
        }
        volume.Audit.Granted(from, fileId);
        int found = 1;
        long row = most > 1 ? pool.Volume.Store.KeyRows.Find(fileId) : 0;
        if (row > 0)
            found += AddKeys(pool, from.Keys.Around(pool, row, most), from.Keys.IsAscending, most - 1, fileId, ref answer, out _);
        BinaryPrimitives.WriteUInt16LittleEndian(count, (ushort)found);
        Found += found;
        return 0;
    }

    /// <summary>Asked for before they are needed; to whom no others may be given gets none.</summary>
    private int MoreKeys(Connection from, ref PacketReader request, ref PacketWriter answer)
    {
        ServedVolume? volume = volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        int most = request.UInt16();
        if (volume is null || !request.IsComplete)
            return Errno.NoEntry;
        if (most is 0 or > AgentMessage.MaxKeysPerRequest)
            return Errno.Invalid;
        try
        {
            Span<byte> count = answer.Reserve(sizeof(ushort));
            int found = 0;
            if (!volume.Audit.Begin() && volume.Policy.GivesAll(from))
            {
                (long First, long Last) rows = from.Keys.Next(volume.Pool, most);
                found = AddKeys(volume.Pool, rows, from.Keys.IsAscending, most, default, ref answer, out (long First, long Last) reached);
                if (found > 0)
                    from.Keys.Came(reached.First, reached.Last);
            }
            BinaryPrimitives.WriteUInt16LittleEndian(count, (ushort)found);
            Found += found;
            return 0;
        }
        catch (VolumeException e)
        {
            return volumes.Report(e);
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
    private int GetAllKeys(Connection from, ServedVolume volume, ReadOnlySpan<byte> fileId, ref PacketWriter answer)
    {
        _ = volume.Audit.Begin();
        Span<byte> keys = stackalloc byte[2 * AgentMessage.KeySize];
        int count = volume.Pool.Volume.GetFileKeys(fileId, keys);
        if (count == 0)
        {
            volume.Audit.Denied(AgentAudit.SubjectOf(from), fileId.ToArray(), "no such key");
            return Errno.NoEntry;
        }
        volume.Audit.Granted(from, fileId);
        answer.UInt16((ushort)count);
        for (int i = 0; i < count; i++)
        {
            answer.Bytes(fileId);
            answer.Bytes(keys.Slice(i * AgentMessage.KeySize, AgentMessage.KeySize));
        }
        Secret.Wipe(keys);
        Found += count;
        return 0;
    }

    private int TakeNewKeys(Connection from, ref PacketReader request, int file, ref PacketWriter answer)
    {
        ServedVolume? volume = volumes.Find(request.Bytes(AgentMessage.VolumeIdSize));
        int wanted = request.UInt16();
        if (volume is null || !request.IsComplete)
            return Errno.NoEntry;
        if (wanted is 0 or > AgentMessage.MaxKeysPerRequest)
            return Errno.Invalid;
        AgentAudit audit = volume.Audit;
        KeyPool pool = volume.Pool;
        NewFile? place;
        try
        {
            _ = audit.Begin();
            int refusal = volume.Policy.JudgeNew(from, file, out place);
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
            return volumes.Report(e);
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
        HandedOut += granted;
        return 0;
    }
}
