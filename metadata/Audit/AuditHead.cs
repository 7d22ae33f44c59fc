using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Audit;

/// <summary>
/// How far the log has come, in the store, so that a log that was cut is known as such.
/// mac = HMAC-SHA-256(audit key, "audit head" | is on (1) | sequence (8) | segment (8) | length (8) | chain | first segment (8) |
/// first before (8) | first chain)
/// </summary>
/// <param name="FirstSegment">Older ones were archived.</param>
/// <param name="FirstBefore">Sequence of the record before its first, and that one's chain value.</param>
internal sealed record AuditHead(
    bool IsOn, long Sequence, long Segment, long Length, byte[] Chain, long FirstSegment, long FirstBefore, byte[] FirstChain)
{
    /// <summary>Null: the log was never on.</summary>
    /// <exception cref="Volumes.VolumeException">Somebody without the key wrote the row.</exception>
    internal static AuditHead? Read(StoreConnection store, ReadOnlySpan<byte> key)
    {
        (AuditHead Head, byte[] Mac)? row = ReadRow(store);
        if (row is null)
            return null;
        if (!Secret.Same(row.Value.Head.Mac(key), row.Value.Mac))
            throw StoreErrors.Damaged(store.Path, "what it says of the audit log was changed by somebody without the key.");
        return row.Value.Head;
    }

    /// <summary>In a transaction of the caller's.</summary>
    internal void Write(StoreConnection store, ReadOnlySpan<byte> key)
    {
        using SqliteCommand command = store.Prepare(
            "INSERT OR REPLACE INTO audit_head VALUES (1, $on, $sequence, $segment, $length, $first, $before, $firstChain, $chain, $mac)",
            "$on", "$sequence", "$segment", "$length", "$first", "$before", "$firstChain", "$chain", "$mac");
        object[] values = [IsOn ? 1 : 0, Sequence, Segment, Length, FirstSegment, FirstBefore, FirstChain, Chain, Mac(key)];
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        store.Guard(() => command.ExecuteNonQuery());
    }

    /// <summary>Without a look at the MAC: for who has no key, or only asks whether there is something to read.</summary>
    internal static (AuditHead Head, byte[] Mac)? ReadRow(StoreConnection store)
    {
        try
        {
            return store.Guard(() =>
            {
                using SqliteCommand command = store.Prepare("SELECT is_on, sequence, segment, length, first_segment, first_before, first_chain, chain, mac FROM audit_head");
                using SqliteDataReader reader = command.ExecuteReader();
                if (!reader.Read())
                    return ((AuditHead, byte[])?)null;
                return (new AuditHead(reader.GetInt32(0) != 0, reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetFieldValue<byte[]>(7),
                    reader.GetInt64(4), reader.GetInt64(5), reader.GetFieldValue<byte[]>(6)), reader.GetFieldValue<byte[]>(8));
            });
        }
        catch (Exception e) when (StoreErrors.IsUnsoundValue(e))
        {
            throw StoreErrors.Damaged(store.Path, e.Message);
        }
    }

    private byte[] Mac(ReadOnlySpan<byte> key)
    {
        List<byte> message = [.. "audit head"u8, IsOn ? (byte)1 : (byte)0];
        foreach (long value in new[] { Sequence, Segment, Length })
            message.AddRange(BytesOf(value));
        message.AddRange(Chain);
        message.AddRange(BytesOf(FirstSegment));
        message.AddRange(BytesOf(FirstBefore));
        message.AddRange(FirstChain);
        byte[] mac = new byte[MessageMac.Size];
        MessageMac.HmacSha256(key, message.ToArray(), mac);
        return mac;
    }

    private static byte[] BytesOf(long value)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}
