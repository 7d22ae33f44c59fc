using System;
using System.IO;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Store;

public class MetadataStoreTests
{
    [Fact]
    public void Open_refuses_a_newer_schema_and_says_so()
    {
        using var volume = new TestVolume();
        volume.Sql($"PRAGMA user_version = {StoreSchema.CurrentVersion + 1}");
        var refusal = Assert.Throws<VolumeException>(() => MetadataStore.Open(volume.StorePath));
        Assert.Equal(VolumeError.TooNew, refusal.Error);
        Assert.Contains($"version {StoreSchema.CurrentVersion + 1}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(StoreSchema.CurrentVersion + 1, volume.Sql("PRAGMA user_version"));
    }

    [Fact]
    public void Open_refuses_a_database_that_is_not_a_store()
    {
        using var volume = new TestVolume();
        volume.Sql("PRAGMA application_id = 1");
        AssertDamaged(volume);
    }

    [Fact]
    public void Open_refuses_a_file_that_is_not_a_database()
    {
        using var volume = new TestVolume();
        File.WriteAllText(volume.StorePath, new string('x', 8192));
        AssertDamaged(volume);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5000)]
    public void Open_refuses_a_store_cut_short(long length)
    {
        using var volume = new TestVolume();
        using (var file = File.OpenWrite(volume.StorePath))
            file.SetLength(length);
        AssertDamaged(volume);
    }

    [Fact]
    public void Open_refuses_a_store_that_is_gone_and_makes_none()
    {
        using var volume = new TestVolume();
        File.Delete(volume.StorePath);
        Assert.Equal(VolumeError.StoreMissing, Assert.Throws<VolumeException>(volume.Unlock).Error);
        Assert.False(File.Exists(volume.StorePath));
    }

    [Fact]
    public void Open_refuses_a_store_without_its_tables()
    {
        using var volume = new TestVolume();
        volume.Sql("DROP TABLE file");
        AssertDamaged(volume);
    }

    [Fact]
    public void Store_and_its_side_files_are_private_when_open()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new Overlay.Metadata.Agent.KeyPool(unlocked);
        pool.Refill();
        foreach (var suffix in new[] { "", "-wal", "-shm" })
        {
            const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(volume.StorePath + suffix));
        }
    }

    [Fact]
    public void Connection_is_durable_and_waits_for_others()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        var connection = unlocked.Store.Connection;
        Assert.Equal("wal", connection.QueryText("PRAGMA journal_mode"));
        Assert.Equal(2, connection.QueryNumber("PRAGMA synchronous"));
        Assert.Equal(1, connection.QueryNumber("PRAGMA foreign_keys"));
        Assert.Equal(1, connection.QueryNumber("PRAGMA secure_delete"));
        Assert.True(connection.QueryNumber("PRAGMA busy_timeout") >= 1000);
    }

    [Fact]
    public void Transaction_leaves_nothing_behind_when_its_work_throws()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        var connection = unlocked.Store.Connection;
        Assert.Throws<InvalidOperationException>(() => connection.InTransaction(() =>
        {
            connection.Execute("DELETE FROM key_slot");
            throw new InvalidOperationException();
        }));
        Assert.Single(unlocked.Store.ReadKeySlots());
        connection.InTransaction(() => connection.Execute("UPDATE key_slot SET label = 'again'"));
        Assert.Equal("again", unlocked.Store.ReadKeySlots()[0].Label);
    }

    [Fact]
    public void Transaction_is_busy_when_another_process_keeps_the_store()
    {
        using var volume = new TestVolume();
        using var first = volume.Unlock();
        using var second = volume.Unlock();
        second.Store.Connection.Execute("PRAGMA busy_timeout = 50");
        first.Store.Connection.Execute("BEGIN IMMEDIATE");
        var refusal = Assert.Throws<VolumeException>(() => second.Store.Connection.InTransaction(() => { }));
        Assert.Equal(VolumeError.Busy, refusal.Error);
        first.Store.Connection.Execute("ROLLBACK");
        second.Store.Connection.InTransaction(() => { });
    }

    private static void AssertDamaged(TestVolume volume) =>
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(volume.Unlock).Error);
}
