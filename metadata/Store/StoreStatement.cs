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
        Reset();
        return raw.sqlite3_changes(_database);
    }

    /// <summary>The number in the first column of the first row; null: there is no row.</summary>
    internal long? RunForNumber()
    {
        long? number = Step() ? Number(0) : null;
        Reset();
        return number;
    }

    /// <summary>Goes on to the next row. Whoever has begun must <see cref="Reset"/>, or the write-ahead log cannot be emptied.</summary>
    /// <returns>Is there one? Its columns, from 0, are gone with the next step.</returns>
    internal bool Step()
    {
        int result = raw.sqlite3_step(_statement);
        if (result is raw.SQLITE_ROW or raw.SQLITE_DONE)
            return result == raw.SQLITE_ROW;
        Reset();
        Check(result);
        return false;
    }

    internal ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    internal long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    /// <summary>Ends the statement; its result is that of the step, which was looked at.</summary>
    internal void Reset() => _ = raw.sqlite3_reset(_statement);

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(result, _database);
    }

    public void Dispose() => _statement.Dispose();
}
