using System;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>A copy of a store, in a file of its own: nothing lies beside it when it is closed.</summary>
internal sealed class StoreCopy : IDisposable
{
    private StoreCopy(MetadataStore store) => Store = store;

    internal MetadataStore Store { get; }

    /// <summary>Brings one of an older version to this one.</summary>
    internal static StoreCopy Open(string path) => new(MetadataStore.Open(path));

    public void Dispose()
    {
        // Back to one file: it may be copied elsewhere.
        _ = Store.Connection.QueryText("PRAGMA journal_mode = DELETE");
        Store.Dispose();
    }
}
