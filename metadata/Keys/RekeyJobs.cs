using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Keys;

/// <summary>Rekeyings that were started and have not ended: one that was killed is gone on with.</summary>
internal static class RekeyJobs
{
    /// <summary>When the job of these paths was started first; null: at this moment.</summary>
    internal static DateTimeOffset? Begin(StoreConnection store, string paths, bool isAnew)
    {
        DateTimeOffset? started = null;
        store.InTransaction(() =>
        {
            if (isAnew)
                End(store, paths);
            started = ReadAll(store).TryGetValue(paths, out DateTimeOffset known) ? known : null;
            if (started is null)
                Run(store, "INSERT INTO rekey_job VALUES ($paths, $now)", ("$paths", paths), ("$now", DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
        });
        return started;
    }

    internal static void End(StoreConnection store, string paths) => Run(store, "DELETE FROM rekey_job WHERE paths = $paths", ("$paths", paths));

    internal static Dictionary<string, DateTimeOffset> ReadAll(StoreConnection store) => store.Guard(() =>
    {
        using SqliteCommand command = store.Prepare("SELECT paths, started FROM rekey_job ORDER BY started");
        using SqliteDataReader reader = command.ExecuteReader();
        Dictionary<string, DateTimeOffset> jobs = [];
        while (reader.Read())
            jobs[reader.GetString(0)] = DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(1));
        return jobs;
    });

    private static void Run(StoreConnection store, string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using SqliteCommand command = store.Sqlite.CreateCommand();
        command.CommandText = sql;
        foreach ((string name, object value) in values)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }
}
