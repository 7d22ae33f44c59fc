using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Store;
using SQLitePCL;

namespace Overlay.Metadata.Keys;

/// <summary>Reads and rewrites the wrapped keys of many rows. SQLite's own interface: parameters of the other one cost more than the row does.</summary>
internal sealed class FileKeyRewriter : IDisposable
{
    private const int Ok = 0, Row = 100, Done = 101;

    private readonly sqlite3 _database;
    private readonly StoreConnection _store;
    private readonly sqlite3_stmt _read, _write;

    internal FileKeyRewriter(StoreConnection store)
    {
        _store = store;
        _database = store.Sqlite.Handle!;
        _read = Prepare("SELECT rowid, file_id, wrapped_key FROM file WHERE key_version = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3");
        _write = Prepare("UPDATE file SET wrapped_key = ?1, key_version = ?2 WHERE rowid = ?3 AND wrapped_key = ?4");
    }

    /// <summary>The next rows of this version of the volume key, at most so many.</summary>
    internal List<WrappedKey> Read(int version, long afterRow, int most)
    {
        List<WrappedKey> keys = [];
        Check(raw.sqlite3_bind_int(_read, 1, version));
        Check(raw.sqlite3_bind_int64(_read, 2, afterRow));
        Check(raw.sqlite3_bind_int(_read, 3, most));
        int result;
        while ((result = raw.sqlite3_step(_read)) == Row)
        {
            keys.Add(new WrappedKey(raw.sqlite3_column_int64(_read, 0), raw.sqlite3_column_blob(_read, 1).ToArray(),
                raw.sqlite3_column_blob(_read, 2).ToArray(), null));
        }
        _ = raw.sqlite3_reset(_read);
        Check(result);
        return keys;
    }

    /// <summary>Only where the row still has the key that was rewrapped; it may be gone, or shredded.</summary>
    internal void Write(IEnumerable<WrappedKey> keys, int version)
    {
        foreach (WrappedKey key in keys.Where(key => key.New is not null))
        {
            Check(raw.sqlite3_bind_blob(_write, 1, key.New));
            Check(raw.sqlite3_bind_int(_write, 2, version));
            Check(raw.sqlite3_bind_int64(_write, 3, key.Row));
            Check(raw.sqlite3_bind_blob(_write, 4, key.Old));
            int result = raw.sqlite3_step(_write);
            _ = raw.sqlite3_reset(_write);
            Check(result);
        }
    }

    public void Dispose()
    {
        _read.Dispose();
        _write.Dispose();
    }

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out sqlite3_stmt statement));
        return statement;
    }

    private void Check(int result)
    {
        if (result is not (Ok or Row or Done))
            throw StoreErrors.Translate(new SqliteException(raw.sqlite3_errmsg(_database).utf8_to_string(), result & 0xFF, result), _store.Path);
    }
}
