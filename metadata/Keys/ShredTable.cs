using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Keys;

/// <summary>The rows that say whose keys were destroyed, and where copies of the store are.</summary>
internal static class ShredTable
{
    /// <summary>When the key of this file was destroyed; null: it was not.</summary>
    internal static DateTimeOffset? TryFind(StoreConnection store, byte[] fileId) => store.Guard(() =>
    {
        using SqliteCommand command = Make(store, "SELECT shredded FROM shredded WHERE file_id = $id", ("$id", fileId));
        return command.ExecuteScalar() is long seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : (DateTimeOffset?)null;
    });

    internal static void Insert(StoreConnection store, byte[] fileId, DateTimeOffset when, string path, string certificate) => Run(store,
        "INSERT OR IGNORE INTO shredded VALUES ($id, $when, $path, $certificate)",
        ("$id", fileId), ("$when", when.ToUnixTimeSeconds()), ("$path", path), ("$certificate", certificate));

    /// <summary>The one that takes its place, if that was under way, goes with it.</summary>
    internal static void DeleteKey(StoreConnection store, byte[] fileId)
    {
        Run(store, "DELETE FROM next_key WHERE file_id = $id", ("$id", fileId));
        Run(store, "DELETE FROM file WHERE file_id = $id", ("$id", fileId));
    }

    internal static List<(byte[] FileId, long When, string Path, string Certificate)> ReadAll(StoreConnection store) => store.Guard(() =>
    {
        using SqliteCommand command = Make(store, "SELECT file_id, shredded, path, certificate FROM shredded");
        using SqliteDataReader reader = command.ExecuteReader();
        List<(byte[], long, string, string)> rows = [];
        while (reader.Read())
            rows.Add((reader.GetFieldValue<byte[]>(0), reader.GetInt64(1), reader.GetString(2), reader.GetString(3)));
        return rows;
    });

    internal static List<string> ReadBackups(StoreConnection store) => store.Guard(() =>
    {
        using SqliteCommand command = Make(store, "SELECT path FROM store_backup ORDER BY created, path");
        using SqliteDataReader reader = command.ExecuteReader();
        List<string> paths = [];
        while (reader.Read())
            paths.Add(reader.GetString(0));
        return paths;
    });

    internal static void InsertBackup(StoreConnection store, string path) => Run(store,
        "INSERT INTO store_backup VALUES ($path, $now) ON CONFLICT (path) DO UPDATE SET created = $now",
        ("$path", path), ("$now", DateTimeOffset.UtcNow.ToUnixTimeSeconds()));

    private static void Run(StoreConnection store, string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using SqliteCommand command = Make(store, sql, values);
        command.ExecuteNonQuery();
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
