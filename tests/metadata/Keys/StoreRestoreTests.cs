using System;
using System.IO;
using System.Linq;
using System.Threading;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Keys;

public class StoreRestoreTests
{
    [Fact]
    public void Shredded_keys_and_nothing_else_stay_away()
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 50);
        var backup = volume.At("backup.db");
        using (var unlocked = volume.Unlock())
        {
            StoreBackup.Make(unlocked.Store, backup);
            File.Copy(backup, volume.At("by-hand.db"));
            var shredder = new KeyShredder(unlocked, "number");
            shredder.DestroyRows([(ids[3], "file")]);
        }
        var comparison = Restore(volume, volume.At("by-hand.db"));
        Assert.Single(comparison.Shredded);
        Assert.False(comparison.WouldRollBack);
        using var after = volume.Unlock();
        Assert.False(after.TryGetFileKey(ids[3], new byte[32]));
        KeyRotationTests.AssertKeys(after, [.. ids.Where((_, i) => i != 3)], [.. keys.Where((_, i) => i != 3)]);
        Assert.NotNull(ShredTable.TryFind(after.Store.Connection, ids[3]));
    }

    [Fact]
    public void What_would_be_lost_is_said()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 2);
        var backup = volume.At("backup.db");
        using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
        using (var unlocked = volume.Unlock())
        {
            unlocked.RaiseSequences([(ids[0], 5), (ids[1], 5)], 1);
            unlocked.AddSlot(passphrase, "person", new PassphraseCost(1024, 1));
            StoreBackup.Make(unlocked.Store, backup);
            unlocked.RemoveSlot(2);
            using var rotation = new KeyRotation(unlocked, []);
            _ = rotation.Run();
        }
        var (newer, _) = KeyRotationTests.MakeFiles(volume, 1);
        using var restore = StoreRestore.Begin(backup, volume.StorePath, volume.Config.VolumeId);
        using var copy = restore.OpenCopy();
        var comparison = StoreComparison.Make(copy.Store, restore.Current, [new(ids[0], 5, "same"), new(ids[1], 6, "ahead"), new(newer[0], 1, "newer")]);
        Assert.Equal(["ahead"], comparison.FilesAhead);
        Assert.Equal(["newer"], comparison.FilesWithoutKey);
        Assert.Equal((1, 1, 2, 2), (comparison.MissingKeys, comparison.KeyVersionInCopy, comparison.KeyVersionNow, Assert.Single(comparison.RevivedSlots).Id));
        Assert.True(comparison.WouldRollBack);
    }

    [Fact]
    public void It_waits_for_nobody_who_uses_the_store()
    {
        using var volume = new TestVolume();
        var backup = volume.At("backup.db");
        using (var unlocked = volume.Unlock())
            StoreBackup.Make(unlocked.Store, backup);
        using var agent = new RunningAgent(volume);
        Assert.Equal(VolumeError.Busy, Assert.Throws<VolumeException>(() => StoreRestore.Begin(backup, volume.StorePath, volume.Config.VolumeId)).Error);
        using var client = agent.Connect();
        Assert.Equal(1, client.TakeNewKeys(volume.Config.VolumeId, 1, new Metadata.Protocol.GrantedKey[1]));
        Assert.False(File.Exists(volume.StorePath + ".new"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(10)]
    [InlineData(15)]
    [InlineData(25)]
    [InlineData(40)]
    [InlineData(80)]
    public void Store_is_old_or_new_when_restoring_was_killed(int milliseconds)
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 3_000);
        var backup = volume.At("backup.db");
        using (var unlocked = volume.Unlock())
            StoreBackup.Make(unlocked.Store, backup);
        var (newer, newerKeys) = KeyRotationTests.MakeFiles(volume, 3_000);
        var child = ChildProcess.StartSelf("restore", backup, volume.StorePath, Convert.ToHexString(volume.Config.VolumeId));
        Assert.Equal("go", child.StandardOutput.ReadLine());
        Thread.Sleep(milliseconds);
        child.Kill();
        _ = ChildProcess.Finish(child);
        using (var unlocked = volume.Unlock())
        {
            Assert.Empty(StoreBackup.FindDamage(unlocked.Store.Connection));
            KeyRotationTests.AssertKeys(unlocked, ids, keys);
            // All of the newer ones or none.
            if (unlocked.TryGetFileKey(newer[0], new byte[32]))
                KeyRotationTests.AssertKeys(unlocked, newer, newerKeys);
            else
                Assert.DoesNotContain(newer, id => unlocked.TryGetFileKey(id, new byte[32]));
        }
        _ = Restore(volume, backup);
        using var after = volume.Unlock();
        Assert.False(after.TryGetFileKey(newer[0], new byte[32]));
    }

    private static StoreComparison Restore(TestVolume volume, string copyPath)
    {
        using var restore = StoreRestore.Begin(copyPath, volume.StorePath, volume.Config.VolumeId);
        StoreComparison comparison;
        using (var copy = restore.OpenCopy())
            comparison = StoreComparison.Make(copy.Store, restore.Current, []);
        restore.Run(comparison);
        return comparison;
    }
}
