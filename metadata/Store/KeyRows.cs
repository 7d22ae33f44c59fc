using System;
using Microsoft.Data.Sqlite;

namespace Overlay.Metadata.Store;

/// <summary>Reads the wrapped keys of files whose rows lie together. What was started is to be stopped.</summary>
internal sealed class KeyRows : IDisposable
{
    private readonly StoreConnection _store;
    private readonly StoreStatement _find, _down, _up;
    private StoreStatement? _running;

    internal KeyRows(StoreConnection store)
    {
        const string Rows = "SELECT rowid, file_id, wrapped_key, key_version, state FROM file WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid";
        _store = store;
        _find = store.PrepareRaw("SELECT rowid FROM file WHERE file_id = ?1");
        _down = store.PrepareRaw($"{Rows} DESC");
        _up = store.PrepareRaw(Rows);
    }

    /// <summary>Of the row that <see cref="Next"/> came to.</summary>
    internal long Row => _running!.Number(0);

    internal ReadOnlySpan<byte> FileId => _running!.Blob(1);

    internal ReadOnlySpan<byte> WrappedKey => _running!.Blob(2);

    internal int KeyVersion => (int)_running!.Number(3);

    internal FileState State => (FileState)_running!.Number(4);

    /// <summary>The number of a file's row; 0: it has none.</summary>
    internal long Find(ReadOnlySpan<byte> fileId)
    {
        try
        {
            _find.Bind(1, fileId);
            return _find.RunForNumber() ?? 0;
        }
        catch (SqliteException e)
        {
            throw StoreErrors.Translate(e, _store.Path);
        }
    }

    /// <summary>From one of these rows to the other.</summary>
    internal void Start(long first, long last, bool isAscending)
    {
        Stop();
        _running = isAscending ? _up : _down;
        _running.Bind(1, first);
        _running.Bind(2, last);
    }

    internal bool Next()
    {
        try
        {
            return _running!.Step();
        }
        catch (SqliteException e)
        {
            throw StoreErrors.Translate(e, _store.Path);
        }
    }

    internal void Stop()
    {
        _running?.Reset();
        _running = null;
    }

    public void Dispose()
    {
        _find.Dispose();
        _down.Dispose();
        _up.Dispose();
    }
}
