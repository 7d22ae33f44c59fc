using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>The few rows about the volume itself: its parameters, versions of its key, slots that unlock it.</summary>
internal static class VolumeTables
{
    internal static void Insert(StoreConnection store, VolumeRow row)
    {
        using SqliteCommand command = store.Prepare(
            "INSERT INTO volume VALUES ($id, $format, $suite, $compress, $size, $created, $version)",
            "$id", "$format", "$suite", "$compress", "$size", "$created", "$version");
        Run(command, row.Id.ToArray(), row.Format, (int)row.Suite, row.Compress ? 1 : 0, row.BlockSizeLog2,
            row.Created.ToUnixTimeSeconds(), row.KeyVersion);
    }

    internal static void Insert(StoreConnection store, KeyVersionRow row)
    {
        using SqliteCommand command = store.Prepare(
            "INSERT INTO volume_key_version VALUES ($version, $state, $created, $check)",
            "$version", "$state", "$created", "$check");
        Run(command, row.Version, (int)row.State, row.Created.ToUnixTimeSeconds(), row.CheckValue.ToArray());
    }

    /// <summary>The row's own id is not used: the slot gets the next one.</summary>
    internal static void Insert(StoreConnection store, KeySlotRow row)
    {
        using SqliteCommand command = store.Prepare(
            "INSERT INTO key_slot VALUES (NULL, $kind, $version, $salt, $memory, $iterations, $check, $key, $created, $label)",
            "$kind", "$version", "$salt", "$memory", "$iterations", "$check", "$key", "$created", "$label");
        Run(command, (int)row.Kind, row.KeyVersion, row.Salt.ToArray(), row.Cost?.MemoryKiB ?? 0, row.Cost?.Iterations ?? 0,
            row.SecretCheck.ToArray(), row.WrappedKey.ToArray(), row.Created.ToUnixTimeSeconds(), row.Label);
        InsertRecipient(store, row with { Id = (int)store.QueryNumber("SELECT last_insert_rowid()") });
    }

    /// <summary>Unless the slot has one, or is another one by now.</summary>
    internal static void InsertRecipient(StoreConnection store, KeySlotRow row)
    {
        using SqliteCommand command = store.Prepare(
            """
            INSERT OR IGNORE INTO slot_recipient
            SELECT id, $public, $seal, $token, $data FROM key_slot WHERE id = $slot AND salt = $salt AND key_version = $version
            """,
            "$slot", "$salt", "$version", "$public", "$seal", "$token", "$data");
        Run(command, row.Id, row.Salt.ToArray(), row.KeyVersion, row.PublicKey.ToArray(), row.PublicKeySeal.ToArray(), row.Token, row.TokenData.ToArray());
    }

    /// <summary>The slot has the next volume key now.</summary>
    internal static void UpdateSlot(StoreConnection store, KeySlotRow row)
    {
        using SqliteCommand slot = store.Prepare(
            "UPDATE key_slot SET key_version = $version, wrapped_key = $key WHERE id = $id", "$version", "$key", "$id");
        Run(slot, row.KeyVersion, row.WrappedKey.ToArray(), row.Id);
        using SqliteCommand recipient = store.Prepare("UPDATE slot_recipient SET seal = $seal WHERE slot = $id", "$seal", "$id");
        Run(recipient, row.PublicKeySeal.ToArray(), row.Id);
    }

    /// <summary>This version of the volume key takes the place of the one before, which wraps nothing any more.</summary>
    internal static void Replace(StoreConnection store, KeyVersionRow next)
    {
        Insert(store, next);
        using SqliteCommand command = store.Prepare("UPDATE volume_key_version SET state = $state WHERE version <> $next", "$state", "$next");
        Run(command, (int)KeyVersionState.Destroyed, next.Version);
        using SqliteCommand volume = store.Prepare("UPDATE volume SET key_version = $next", "$next");
        Run(volume, next.Version);
    }

    /// <returns>How many there were: 0 or 1.</returns>
    internal static int DeleteSlot(StoreConnection store, int id)
    {
        using SqliteCommand command = store.Prepare("DELETE FROM key_slot WHERE id = $id", "$id");
        command.Parameters[0].Value = id;
        return command.ExecuteNonQuery();
    }

    internal static VolumeRow ReadVolume(StoreConnection store)
    {
        List<VolumeRow> rows = Read(store,
            "SELECT id, format, suite, compress, block_size_log2, created, key_version FROM volume",
            reader => new VolumeRow(reader.GetFieldValue<byte[]>(0), reader.GetInt32(1), (CipherSuite)reader.GetByte(2),
                reader.GetInt32(3) != 0, reader.GetInt32(4), Time(reader, 5), reader.GetInt32(6)));
        return rows.Count == 1 ? rows[0] : throw StoreErrors.Damaged(store.Path, $"it describes {rows.Count} volumes.");
    }

    internal static List<KeyVersionRow> ReadKeyVersions(StoreConnection store) => Read(store,
        "SELECT version, state, created, check_value FROM volume_key_version ORDER BY version",
        reader => new KeyVersionRow(
            reader.GetInt32(0), (KeyVersionState)reader.GetInt32(1), Time(reader, 2), reader.GetFieldValue<byte[]>(3)));

    internal static List<KeySlotRow> ReadKeySlots(StoreConnection store) => Read(store,
        """
        SELECT id, kind, key_version, salt, memory_kib, iterations, secret_check, wrapped_key, created, label,
            coalesce(public_key, x''), coalesce(seal, x''), coalesce(token, ''), coalesce(token_data, x'')
        FROM key_slot LEFT JOIN slot_recipient ON slot = id ORDER BY id
        """,
        reader => new KeySlotRow(reader.GetInt32(0), (SlotKind)reader.GetInt32(1), reader.GetInt32(2),
            reader.GetFieldValue<byte[]>(3), Cost(reader), reader.GetFieldValue<byte[]>(6), reader.GetFieldValue<byte[]>(7),
            Time(reader, 8), reader.GetString(9))
        {
            PublicKey = reader.GetFieldValue<byte[]>(10), PublicKeySeal = reader.GetFieldValue<byte[]>(11),
            Token = reader.GetString(12), TokenData = reader.GetFieldValue<byte[]>(13),
        });

    private static PassphraseCost? Cost(SqliteDataReader reader) =>
        reader.GetInt32(4) == 0 ? null : new PassphraseCost(reader.GetInt32(4), reader.GetInt32(5));

    private static DateTimeOffset Time(SqliteDataReader reader, int column) =>
        DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(column));

    private static List<T> Read<T>(StoreConnection store, string sql, Func<SqliteDataReader, T> row)
    {
        try
        {
            return store.Guard(() =>
            {
                using SqliteCommand command = store.Prepare(sql);
                using SqliteDataReader reader = command.ExecuteReader();
                List<T> rows = [];
                while (reader.Read())
                    rows.Add(row(reader));
                return rows;
            });
        }
        catch (Exception e) when (StoreErrors.IsUnsoundValue(e))
        {
            throw StoreErrors.Damaged(store.Path, e.Message);
        }
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        command.ExecuteNonQuery();
    }
}
