using System;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>Brings a store to the version this Overlay knows, a step in a transaction, and refuses what it does not know.</summary>
internal static class SchemaMigration
{
    /// <summary>An empty database becomes a store.</summary>
    internal static void Create(StoreConnection store) => store.InTransaction(() =>
    {
        store.Execute($"PRAGMA application_id = {StoreSchema.ApplicationId}");
        RunSteps(store, StoreSchema.Steps, 0);
    });

    /// <summary>Checks that this is a store of a version we know and migrates an older one.</summary>
    internal static void Migrate(StoreConnection store) => Migrate(store, StoreSchema.Steps);

    internal static void Migrate(StoreConnection store, ReadOnlySpan<string> steps)
    {
        if (store.QueryNumber("PRAGMA application_id") != StoreSchema.ApplicationId)
            throw StoreErrors.Damaged(store.Path, "this database is not an Overlay store.");
        if (CheckVersion(store, steps.Length) == steps.Length)
            return;
        string[] all = steps.ToArray();
        // Another agent may be migrating: the version counts that is found under the write lock.
        store.InTransaction(() => RunSteps(store, all, CheckVersion(store, all.Length)));
    }

    private static int CheckVersion(StoreConnection store, int known)
    {
        long version = store.QueryNumber("PRAGMA user_version");
        if (version > known)
        {
            throw new VolumeException(VolumeError.TooNew,
                $"The store {store.Path} has schema version {version}; this Overlay knows {known}. Use a newer Overlay.");
        }
        if (version < 1)
            throw StoreErrors.Damaged(store.Path, $"its schema version is {version}.");
        return (int)version;
    }

    private static void RunSteps(StoreConnection store, ReadOnlySpan<string> steps, int from)
    {
        for (int version = from; version < steps.Length; version++)
        {
            store.Execute(steps[version]);
            store.Execute($"PRAGMA user_version = {version + 1}");
        }
    }
}
