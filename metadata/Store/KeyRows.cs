using System;

namespace Overlay.Metadata.Store;

/// <summary>Reads the wrapped keys of files whose rows lie together. What was started is to be stopped.</summary>
internal sealed class KeyRows : IDisposable
{
    private readonly RawStatement _find, _down, _up;
    private RawStatement? _running;

    internal KeyRows(StoreConnection store)
    {
        const string Rows = "SELECT rowid, file_id, wrapped_key, key_version, state FROM file WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid";
        _find = new RawStatement(store, "SELECT rowid FROM file WHERE file_id = ?1");
        _down = new RawStatement(store, $"{Rows} DESC");
        _up = new RawStatement(store, Rows);
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
            return _find.Step() ? _find.Number(0) : 0;
        }
        finally
        {
            _find.Reset();
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

    internal bool Next() => _running!.Step();

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
