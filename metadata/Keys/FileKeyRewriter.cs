using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Keys;

/// <summary>Reads and rewrites the wrapped keys of many rows.</summary>
internal sealed class FileKeyRewriter : IDisposable
{
    private readonly StoreConnection _store;
    private readonly StoreStatement _read, _write;

    internal FileKeyRewriter(StoreConnection store)
    {
        _store = store;
        _read = store.PrepareRaw("SELECT rowid, file_id, wrapped_key FROM file WHERE key_version = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3");
        _write = store.PrepareRaw("UPDATE file SET wrapped_key = ?1, key_version = ?2 WHERE rowid = ?3 AND wrapped_key = ?4");
    }

    /// <summary>The next rows of this version of the volume key, at most so many.</summary>
    internal List<WrappedKey> Read(int version, long afterRow, int most) => _store.Guard(() =>
    {
        List<WrappedKey> keys = [];
        _read.Bind(1, version);
        _read.Bind(2, afterRow);
        _read.Bind(3, most);
        try
        {
            while (_read.Step())
                keys.Add(new WrappedKey(_read.Number(0), _read.Blob(1).ToArray(), _read.Blob(2).ToArray(), null));
        }
        finally
        {
            _read.Reset();
        }
        return keys;
    });

    /// <summary>Only where the row still has the key that was rewrapped; it may be gone, or shredded.</summary>
    internal void Write(IEnumerable<WrappedKey> keys, int version) => _store.Guard(() =>
    {
        foreach (WrappedKey key in keys.Where(key => key.New is not null))
        {
            _write.Bind(1, key.New);
            _write.Bind(2, version);
            _write.Bind(3, key.Row);
            _write.Bind(4, key.Old);
            _write.Run();
        }
    });

    public void Dispose()
    {
        _read.Dispose();
        _write.Dispose();
    }
}
