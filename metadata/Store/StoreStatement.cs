using System;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Overlay.Metadata.Store;

/// <summary>
/// A statement that is run for each file: SQLite's own calls, without the reader and the boxes that a command makes each time, which cost more than
/// most such statements themselves. Faults are <see cref="SqliteException"/>s, as a command's. Not thread-safe.
/// </summary>
internal sealed class StoreStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    internal StoreStatement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle!;
        Check(raw.sqlite3_prepare_v3(_database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    /// <param name="index">From 1.</param>
    internal void Bind(int index, ReadOnlySpan<byte> blob) => Check(raw.sqlite3_bind_blob(_statement, index, blob));

    internal void Bind(int index, long number) => Check(raw.sqlite3_bind_int64(_statement, index, number));

    internal void Bind(int index, string text) => Check(raw.sqlite3_bind_text(_statement, index, text));

    /// <summary>Runs a statement that returns no rows.</summary>
    /// <returns>How many rows it changed.</returns>
    internal int Run()
    {
        _ = Step();
        return raw.sqlite3_changes(_database);
    }

    /// <summary>The number in the first column of the first row; null: there is no row.</summary>
    internal long? RunForNumber() => Step() ? _number : null;

    private long _number;

    private bool Step()
    {
        int result = raw.sqlite3_step(_statement);
        bool hasRow = result == raw.SQLITE_ROW;
        if (hasRow)
            _number = raw.sqlite3_column_int64(_statement, 0);
        // Ends the statement; its result is that of the step.
        _ = raw.sqlite3_reset(_statement);
        if (!hasRow && result != raw.SQLITE_DONE)
            Check(result);
        return hasRow;
    }

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(result, _database);
    }

    public void Dispose() => _statement.Dispose();
}
