using System;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Overlay.Metadata.Store;

/// <summary>
/// A statement by SQLite's own interface, for what programs wait for: parameters and rows of the other one cost more than the statement. Whoever has
/// stepped resets, or the log cannot be emptied.
/// </summary>
internal sealed class RawStatement : IDisposable
{
    private const int Ok = 0, HasRow = 100, Done = 101;

    private readonly StoreConnection _store;
    private readonly sqlite3_stmt _statement;

    internal RawStatement(StoreConnection store, string sql)
    {
        _store = store;
        Check(raw.sqlite3_prepare_v2(store.Sqlite.Handle!, sql, out _statement));
    }

    /// <param name="number">From 1.</param>
    internal void Bind(int number, ReadOnlySpan<byte> value) => Check(raw.sqlite3_bind_blob(_statement, number, value));

    internal void Bind(int number, long value) => Check(raw.sqlite3_bind_int64(_statement, number, value));

    /// <returns>Is there a row? Its columns, from 0, are gone with the next step.</returns>
    internal bool Step()
    {
        int result = raw.sqlite3_step(_statement);
        Check(result);
        return result == HasRow;
    }

    internal ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    internal long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    internal void Reset() => _ = raw.sqlite3_reset(_statement);

    public void Dispose() => _statement.Dispose();

    private void Check(int result)
    {
        if (result is not (Ok or HasRow or Done))
            throw StoreErrors.Translate(new SqliteException(raw.sqlite3_errmsg(_store.Sqlite.Handle!).utf8_to_string(), result & 0xFF, result), _store.Path);
    }
}
