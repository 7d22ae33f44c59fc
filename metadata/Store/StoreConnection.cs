using System;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>
/// One connection to the database: settings, statements, transactions, and SQLite's errors as
/// <see cref="VolumeException"/>. Not thread-safe.
/// </summary>
internal sealed class StoreConnection : IDisposable
{
    // How long another's transaction may take before we give up on ours: a change of the volume key writes every row. Programs wait for half a minute.
    private const int BusyMilliseconds = 20_000;

    private readonly SqliteConnection _connection;

    private StoreConnection(SqliteConnection connection, string path)
    {
        _connection = connection;
        Path = path;
    }

    internal string Path { get; }

    internal SqliteConnection Sqlite => _connection;

    /// <summary>Tests stop the process in the middle of any statement through this.</summary>
    internal static Action<SqliteConnection>? Opened { get; set; }

    /// <param name="isAlone">No other process may have it open meanwhile: nothing is shared then.</param>
    internal static StoreConnection Open(string path, bool isAlone = false)
    {
        SqliteConnectionStringBuilder settings = new()
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            // Seconds; on top of SQLite's own waiting, by sleeping. Its own is enough.
            DefaultTimeout = 1,
        };
        SqliteConnection connection = new(settings.ConnectionString);
        StoreConnection store = new(connection, path);
        try
        {
            store.Guard(connection.Open);
            Opened?.Invoke(connection);
            store.Execute($"PRAGMA busy_timeout = {BusyMilliseconds}");
            // Ahead of whatever looks into the file: that maps what is shared.
            if (isAlone)
                store.Execute("PRAGMA locking_mode = EXCLUSIVE");
            store.Execute("PRAGMA foreign_keys = ON");
            // A commit that has returned is on the disk: keys are handed out on its word.
            store.Execute("PRAGMA synchronous = FULL");
            // A deleted row's wrapped key is overwritten, not just unlinked.
            store.Execute("PRAGMA secure_delete = ON");
            store.Execute("PRAGMA trusted_schema = OFF");
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public void Dispose() => _connection.Dispose();

    internal void Execute(string sql) => Guard(() =>
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    });

    internal long QueryNumber(string sql) => Guard(() =>
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    });

    internal string QueryText(string sql) => Guard(() =>
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    });

    /// <summary>A statement to run again and again; parameters are named in their order.</summary>
    internal SqliteCommand Prepare(string sql, params ReadOnlySpan<string> parameters)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (string name in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        Guard(command.Prepare);
        return command;
    }

    /// <summary>The same for one that is run for each file.</summary>
    internal StoreStatement PrepareRaw(string sql) => Guard(() => new StoreStatement(_connection, sql));

    /// <summary>
    /// All of it or nothing, on the disk when this returns. The write lock is taken first, so what is read inside cannot
    /// have changed when it is written.
    /// </summary>
    internal void InTransaction(Action work)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            Guard(work);
            Execute("COMMIT");
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    /// <summary>What is read inside is the store as it was at one moment. Nothing may be written inside.</summary>
    internal void InSnapshot(Action work)
    {
        Execute("BEGIN");
        try
        {
            Guard(work);
        }
        finally
        {
            RollBack();
        }
    }

    /// <summary>
    /// Brings the log into the database and empties it: a deleted row is in neither any more. False: another process was in the way, and the next
    /// checkpoint does it.
    /// </summary>
    internal bool TryEmptyLog() => QueryNumber("PRAGMA wal_checkpoint(TRUNCATE)") == 0;

    internal void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (SqliteException e)
        {
            throw StoreErrors.Translate(e, Path);
        }
    }

    internal T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw StoreErrors.Translate(e, Path);
        }
    }

    private void RollBack()
    {
        // After a full disk or an I/O error SQLite has rolled back by itself.
        bool inTransaction = SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle!) == 0;
        if (inTransaction)
            Execute("ROLLBACK");
    }
}
