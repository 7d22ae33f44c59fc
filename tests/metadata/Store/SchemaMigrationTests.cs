using System;
using System.Linq;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Store;

public class SchemaMigrationTests
{
    private static readonly string[] s_nextSteps = [.. StoreSchema.Steps, "ALTER TABLE file ADD COLUMN colour TEXT", "CREATE TABLE t (x) STRICT"];

    [Fact]
    public void Migrate_runs_the_missing_steps_once_and_keeps_rows()
    {
        using var volume = new TestVolume();
        using (var store = StoreConnection.Open(volume.StorePath))
        {
            var steps = s_nextSteps[..^1].Append("CREATE TABLE t (x INTEGER) STRICT").ToArray();
            SchemaMigration.Migrate(store, steps);
            SchemaMigration.Migrate(store, steps);
            Assert.Equal(steps.Length, store.QueryNumber("PRAGMA user_version"));
            Assert.Equal(0, store.QueryNumber("SELECT count(colour) FROM file"));
            Assert.Equal(1, store.QueryNumber("SELECT count(*) FROM volume"));
        }
    }

    [Fact]
    public void Stores_of_version_1_learn_how_far_files_have_come()
    {
        using var volume = new TestVolume();
        using var store = StoreConnection.Open(volume.StorePath);
        store.Execute("ALTER TABLE file DROP COLUMN sequence; ALTER TABLE file DROP COLUMN boot; ALTER TABLE file DROP COLUMN seals; ALTER TABLE file DROP COLUMN key_epoch; PRAGMA user_version = 1");
        store.Execute("INSERT INTO file VALUES (zeroblob(16), zeroblob(64), 1, 1, 14, 0, 2, 'old')");
        SchemaMigration.Migrate(store);
        Assert.Equal(StoreSchema.CurrentVersion, store.QueryNumber("PRAGMA user_version"));
        Assert.Equal(1, store.QueryNumber("SELECT count(*) FROM file WHERE path = 'old' AND sequence = 0 AND boot = 0 AND seals = 0"));
    }

    [Fact]
    public void Migrate_leaves_the_old_version_when_a_step_fails()
    {
        using var volume = new TestVolume();
        using var store = StoreConnection.Open(volume.StorePath);
        // The last step is not valid SQL for a strict table, so neither of the two may stay.
        Assert.Throws<VolumeException>(() => SchemaMigration.Migrate(store, s_nextSteps));
        Assert.Equal(StoreSchema.CurrentVersion, store.QueryNumber("PRAGMA user_version"));
        Assert.Equal(0, store.QueryNumber("SELECT count(*) FROM pragma_table_info('file') WHERE name = 'colour'"));
    }

    [Fact]
    public void Migrate_takes_one_of_two_that_start_together()
    {
        using var volume = new TestVolume();
        using var first = StoreConnection.Open(volume.StorePath);
        using var second = StoreConnection.Open(volume.StorePath);
        SchemaMigration.Migrate(first, s_nextSteps.AsSpan(..^1));
        SchemaMigration.Migrate(second, s_nextSteps.AsSpan(..^1));
        Assert.Equal(s_nextSteps.Length - 1, second.QueryNumber("PRAGMA user_version"));
    }
}
