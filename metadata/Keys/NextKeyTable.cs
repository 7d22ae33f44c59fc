using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>The rows of keys that are taking the place of others.</summary>
internal static class NextKeyTable
{
    internal static List<NextKey> ReadAll(StoreConnection store) => Read(store,
        "SELECT file_id, path, created, done, size FROM next_key ORDER BY path, file_id", [],
        reader => new NextKey(reader.GetFieldValue<byte[]>(0), reader.GetString(1), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(2)), reader.GetInt64(3), reader.GetInt64(4)));

    /// <summary>None, or one.</summary>
    internal static List<byte[]> ReadWrapped(StoreConnection store, byte[] fileId) => Read(store,
        "SELECT wrapped_key FROM next_key WHERE file_id = $id", [("$id", fileId)], reader => reader.GetFieldValue<byte[]>(0));

    /// <summary>A file's keys as they are at one moment: the present one, and behind it the next one if there is one.</summary>
    internal static List<(byte[] Wrapped, int Version)> ReadKeys(StoreConnection store, byte[] fileId) => Read(store,
        """
        SELECT wrapped_key, key_version, 0 AS place FROM file WHERE file_id = $id
        UNION ALL SELECT wrapped_key, key_version, 1 FROM next_key WHERE file_id = $id ORDER BY place
        """,
        [("$id", fileId)], reader => (reader.GetFieldValue<byte[]>(0), reader.GetInt32(1)));

    internal static void Insert(StoreConnection store, byte[] fileId, byte[] wrapped, int version, string path) => Run(store,
        "INSERT INTO next_key SELECT file_id, $wrapped, $version, $now, seals, $path, 0, 0 FROM file WHERE file_id = $id",
        ("$id", fileId), ("$wrapped", wrapped), ("$version", version), ("$now", DateTimeOffset.UtcNow.ToUnixTimeSeconds()), ("$path", path));

    internal static void SetProgress(StoreConnection store, byte[] fileId, long done, long size) => Run(store,
        "UPDATE next_key SET done = $done, size = $size WHERE file_id = $id", ("$id", fileId), ("$done", done), ("$size", size));

    /// <summary>The next key becomes the file's key, and that one is destroyed.</summary>
    internal static void Promote(StoreConnection store, byte[] fileId)
    {
        Run(store,
            """
            UPDATE file SET wrapped_key = next.wrapped_key, key_version = next.key_version, created = next.created, seals = file.seals - next.seals,
                key_epoch = key_epoch + 1
            FROM next_key AS next WHERE file.file_id = $id AND next.file_id = $id
            """,
            ("$id", fileId));
        Run(store, "DELETE FROM next_key WHERE file_id = $id", ("$id", fileId));
    }

    /// <summary>In the transaction that changes the volume key.</summary>
    /// <returns>How many do not unwrap, and were left as they are.</returns>
    internal static long Rewrap(StoreConnection store, FileKeyWrap from, int fromVersion, FileKeyWrap to, int toVersion)
    {
        long damaged = 0;
        foreach ((byte[] fileId, byte[] wrapped) in Read(store, "SELECT file_id, wrapped_key FROM next_key WHERE key_version = $version",
            [("$version", fromVersion)], reader => (reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1))))
        {
            if (from.TryRewrap(fileId, fromVersion, wrapped, to, toVersion) is byte[] rewrapped)
                Run(store, "UPDATE next_key SET wrapped_key = $wrapped, key_version = $version WHERE file_id = $id", ("$id", fileId), ("$wrapped", rewrapped), ("$version", toVersion));
            else
                damaged++;
        }
        return damaged;
    }

    private static void Run(StoreConnection store, string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using SqliteCommand command = Make(store, sql, values);
        command.ExecuteNonQuery();
    }

    private static List<T> Read<T>(StoreConnection store, string sql, (string Name, object Value)[] values, Func<SqliteDataReader, T> row)
    {
        try
        {
            return store.Guard(() =>
            {
                using SqliteCommand command = Make(store, sql, values);
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

    private static SqliteCommand Make(StoreConnection store, string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        SqliteCommand command = store.Sqlite.CreateCommand();
        command.CommandText = sql;
        foreach ((string name, object value) in values)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
