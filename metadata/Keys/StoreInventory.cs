using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Keys;

/// <summary>What keys there are: counted by the database, in one pass over the rows.</summary>
internal static class StoreInventory
{
    /// <summary>Files' keys that have all this in common.</summary>
    internal sealed record Group(
        CipherSuite Suite, int KeyVersion, FileState State, long Count, DateTimeOffset Oldest, DateTimeOffset Newest, long Seals, long MostSeals);

    internal static List<Group> ReadGroups(StoreConnection store) => Read(store,
        """
        SELECT suite, key_version, state, count(*), min(created), max(created), sum(seals), max(seals) FROM file
        GROUP BY suite, key_version, state ORDER BY suite, key_version, state
        """, [],
        reader => new Group((CipherSuite)reader.GetByte(0), reader.GetInt32(1), (FileState)reader.GetInt32(2), reader.GetInt64(3),
            Time(reader, 4), Time(reader, 5), reader.GetInt64(6), reader.GetInt64(7)));

    /// <summary>Keys of files that exist and were made before, or have sealed oftener; oldest first, at most so many.</summary>
    internal static List<DueKey> ReadDue(StoreConnection store, DateTimeOffset before, long gcmSeals, int most) => Read(store,
        """
        SELECT file_id, path, suite, created, seals FROM file
        WHERE state = 2 AND (created < $before OR (suite = 1 AND seals >= $seals)) ORDER BY created, rowid LIMIT $most
        """,
        [("$before", before.ToUnixTimeSeconds()), ("$seals", gcmSeals), ("$most", most)],
        reader => new DueKey(reader.GetFieldValue<byte[]>(0), reader.GetString(1), (CipherSuite)reader.GetByte(2), Time(reader, 3), reader.GetInt64(4)));

    internal static long CountDue(StoreConnection store, DateTimeOffset before, long gcmSeals) => Read(store,
        "SELECT count(*) FROM file WHERE state = 2 AND (created < $before OR (suite = 1 AND seals >= $seals))",
        [("$before", before.ToUnixTimeSeconds()), ("$seals", gcmSeals)], reader => reader.GetInt64(0))[0];

    internal static long CountShredded(StoreConnection store) => store.QueryNumber("SELECT count(*) FROM shredded");

    private static DateTimeOffset Time(SqliteDataReader reader, int column) => DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(column));

    private static List<T> Read<T>(StoreConnection store, string sql, (string Name, object Value)[] values, Func<SqliteDataReader, T> row)
    {
        try
        {
            return store.Guard(() =>
            {
                using SqliteCommand command = store.Sqlite.CreateCommand();
                command.CommandText = sql;
                foreach ((string name, object value) in values)
                    command.Parameters.AddWithValue(name, value);
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
}
