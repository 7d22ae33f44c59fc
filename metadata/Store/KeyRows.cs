using System;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Overlay.Metadata.Store;

/// <summary>
/// Reads the wrapped keys of files whose rows lie together. SQLite's own interface: the other one costs 5 us a row, and programs wait for it. What was
/// started is to be stopped: until then the log cannot be emptied.
/// </summary>
internal sealed class KeyRows : IDisposable
{
    private const int Ok = 0, HasRow = 100, Done = 101;

    private readonly sqlite3 _database;
    private readonly StoreConnection _store;
    private readonly sqlite3_stmt _find, _down, _up;
    private sqlite3_stmt? _running;

    internal KeyRows(StoreConnection store)
    {
        const string Rows = "SELECT rowid, file_id, wrapped_key, key_version FROM file WHERE rowid BETWEEN ?1 AND ?2 AND state = 2 ORDER BY rowid";
        _store = store;
        _database = store.Sqlite.Handle!;
        _find = Prepare("SELECT rowid FROM file WHERE file_id = ?1");
        _down = Prepare($"{Rows} DESC LIMIT ?3");
        _up = Prepare($"{Rows} LIMIT ?3");
    }

    /// <summary>Of the row that <see cref="Next"/> came to; they are gone with the next one.</summary>
    internal long Row => raw.sqlite3_column_int64(_running!, 0);

    internal ReadOnlySpan<byte> FileId => raw.sqlite3_column_blob(_running!, 1);

    internal ReadOnlySpan<byte> WrappedKey => raw.sqlite3_column_blob(_running!, 2);

    internal int KeyVersion => raw.sqlite3_column_int(_running!, 3);

    /// <summary>The number of a file's row; 0: it has none.</summary>
    internal long Find(ReadOnlySpan<byte> fileId)
    {
        try
        {
            Check(raw.sqlite3_bind_blob(_find, 1, fileId));
            int result = raw.sqlite3_step(_find);
            Check(result);
            return result == HasRow ? raw.sqlite3_column_int64(_find, 0) : 0;
        }
        finally
        {
            _ = raw.sqlite3_reset(_find);
        }
    }

    /// <summary>Of the files that exist, between these two rows; at most so many.</summary>
    internal void Start(long first, long last, bool isAscending, int most)
    {
        Stop();
        _running = isAscending ? _up : _down;
        Check(raw.sqlite3_bind_int64(_running, 1, first));
        Check(raw.sqlite3_bind_int64(_running, 2, last));
        Check(raw.sqlite3_bind_int(_running, 3, most));
    }

    internal bool Next()
    {
        int result = raw.sqlite3_step(_running!);
        Check(result);
        return result == HasRow;
    }

    internal void Stop()
    {
        if (_running is not null)
            _ = raw.sqlite3_reset(_running);
        _running = null;
    }

    public void Dispose()
    {
        _find.Dispose();
        _down.Dispose();
        _up.Dispose();
    }

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out sqlite3_stmt statement));
        return statement;
    }

    private void Check(int result)
    {
        if (result is not (Ok or HasRow or Done))
            throw StoreErrors.Translate(new SqliteException(raw.sqlite3_errmsg(_database).utf8_to_string(), result & 0xFF, result), _store.Path);
    }
}
