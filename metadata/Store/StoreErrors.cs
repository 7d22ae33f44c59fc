using Microsoft.Data.Sqlite;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>SQLite's result codes in our words.</summary>
internal static class StoreErrors
{
    internal const int InputOutput = 10, Full = 13;

    private const int Busy = 5, Locked = 6, Corrupt = 11, Constraint = 19, Mismatch = 20, NotADatabase = 26, Error = 1;

    internal static VolumeException Translate(SqliteException e, string path) => e.SqliteErrorCode switch
    {
        Busy or Locked => new VolumeException(VolumeError.Busy, $"The store {path} is held by another process.", e),
        Full => new VolumeException(VolumeError.DiskFull, $"There is no room for the store {path} to grow.", e),
        // "No such table" is an Error: a database, but not one that our schema made.
        Corrupt or NotADatabase or Constraint or Mismatch or Error =>
            Damaged(path, e.Message, e),
        _ => new VolumeException(VolumeError.StoreUnavailable, $"The store {path} cannot be used: {e.Message}", e),
    };

    internal static VolumeException Damaged(string path, string what, SqliteException? cause = null) =>
        new(VolumeError.StoreDamaged, $"The store {path} is damaged: {what}", cause);
}
