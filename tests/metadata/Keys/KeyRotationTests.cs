using System;
using System.IO;
using System.Linq;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Keys;

public class KeyRotationTests
{
    private static readonly PassphraseCost s_cheap = new(1024, 1);

    [Fact]
    public void Rotation_keeps_every_file_key_and_every_slot_without_the_slots_secrets()
    {
        using var volume = new TestVolume();
        using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
        var (ids, keys) = MakeFiles(volume, 300);
        using (var unlocked = volume.Unlock())
        {
            unlocked.AddSlot(passphrase, "person", s_cheap);
            var old = unlocked.VolumeKey.ToArray();
            Rotate(unlocked);
            Assert.NotEqual(old, unlocked.VolumeKey.ToArray());
        }
        using var keyFile = KeySecret.FromKeyFile(volume.KeyFile);
        foreach (var (secret, version) in new[] { (keyFile, 2), (passphrase, 3) })
        {
            using var again = VolumeUnlocker.Unlock(volume.Root, secret);
            Assert.Equal(version, again.Store.Volume.KeyVersion);
            AssertKeys(again, ids, keys);
            Rotate(again);
            AssertKeys(again, ids, keys);
        }
    }

    [Fact]
    public void Nothing_of_the_old_key_is_left_in_the_stores_files()
    {
        using var volume = new TestVolume();
        var (ids, _) = MakeFiles(volume, 300);
        using var unlocked = volume.Unlock();
        var wrapped = ids.Select(id => unlocked.Store.TryFindFile(id)!.WrappedKey.ToArray()).ToList();
        var slot = unlocked.Store.ReadKeySlots().Single().WrappedKey.ToArray();
        Rotate(unlocked);
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(volume.StorePath)!, "store.db*"))
        {
            var bytes = File.ReadAllBytes(path);
            Assert.DoesNotContain(wrapped.Append(slot), old => bytes.AsSpan().IndexOf(old) >= 0);
        }
        Assert.Equal([KeyVersionState.Destroyed, KeyVersionState.Current], unlocked.Store.ReadKeyVersions().Select(version => version.State));
    }

    [Fact]
    public void The_old_volume_key_opens_nothing_of_the_new_store()
    {
        using var volume = new TestVolume();
        var (ids, _) = MakeFiles(volume, 3);
        using var unlocked = volume.Unlock();
        var old = unlocked.VolumeKey.ToArray();
        Rotate(unlocked);
        using var wrap = new FileKeyWrap(old, unlocked.VolumeId.Span);
        var row = unlocked.Store.TryFindFile(ids[0])!;
        var key = new byte[32];
        Assert.False(wrap.TryUnwrap(ids[0], 1, row.WrappedKey.Span, key));
        Assert.False(wrap.TryUnwrap(ids[0], 2, row.WrappedKey.Span, key));
    }

    [Fact]
    public void Agents_go_on_and_follow_when_the_key_is_changed_behind_them()
    {
        using var volume = new TestVolume();
        var (ids, keys) = MakeFiles(volume, 20);
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        var granted = new Metadata.Protocol.GrantedKey[4];
        var volumeId = volume.Config.VolumeId;
        Assert.Equal(4, client.TakeNewKeys(volumeId, 4, granted));
        using (var unlocked = volume.Unlock())
            Rotate(unlocked);
        var key = new byte[32];
        for (var i = 0; i < ids.Length; i++)
        {
            Assert.True(client.TryGetKey(volumeId, ids[i], key));
            Assert.Equal(keys[i], key);
        }
        // Keys that were in the pool, and keys that are made behind the change, are in the store under the new key.
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(1, client.TakeNewKeys(volumeId, 1, granted));
            Assert.True(client.TryGetKey(volumeId, granted[0].FileId, key));
            Assert.Equal(granted[0].Key, key);
        }
        Assert.Empty(agent.Log);
        Assert.Equal(0, volume.Sql("SELECT count(*) FROM file WHERE key_version <> 2"));
    }

    [Fact]
    public void An_agent_answers_while_another_process_writes_the_store()
    {
        using var volume = new TestVolume();
        var (ids, _) = MakeFiles(volume, 1);
        volume.Sql("UPDATE file SET state = 1, path = ''"); // what was noted once is not noted anew
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        using (var other = volume.Unlock())
        {
            other.Store.Connection.Execute("BEGIN IMMEDIATE");
            var end = DateTime.UtcNow.AddSeconds(3);
            var longest = TimeSpan.Zero;
            while (DateTime.UtcNow < end)
            {
                // Something to be written when there is time for it.
                client.NoteCreated(volume.Config.VolumeId, [(ids[0], "name")]);
                var before = DateTime.UtcNow;
                Assert.True(client.TryGetKey(volume.Config.VolumeId, ids[0], new byte[32]));
                longest = DateTime.UtcNow - before > longest ? DateTime.UtcNow - before : longest;
                System.Threading.Thread.Sleep(20);
            }
            Assert.True(longest < TimeSpan.FromSeconds(2), $"an answer took {longest}");
            other.Store.Connection.Execute("COMMIT");
        }
        agent.Stop();
        Assert.Equal(1, volume.Sql("SELECT count(*) FROM file WHERE path = 'name'"));
    }

    [Fact]
    public void An_agent_whose_slot_was_dropped_gets_no_further_key()
    {
        using var volume = new TestVolume();
        using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
        var (ids, _) = MakeFiles(volume, 1);
        using (var unlocked = volume.Unlock())
            unlocked.AddSlot(passphrase, "person", s_cheap);
        using var agent = new RunningAgent(volume);
        using (var unlocked = VolumeUnlocker.Unlock(volume.Root, passphrase))
        {
            Rotate(unlocked, dropped: 1);
            Assert.Equal(2, Assert.Single(unlocked.Store.ReadKeySlots()).Id);
        }
        using var client = agent.Connect();
        Assert.Throws<Crypto.ErrnoException>(() => client.TryGetKey(volume.Config.VolumeId, ids[0], new byte[32]));
        Assert.Contains(agent.Log, line => line.Contains("the key slot that it was unlocked with (slot 1) is gone", StringComparison.Ordinal));
        // What it may have tried to write in the new key's name would be lost.
        using var after = VolumeUnlocker.Unlock(volume.Root, passphrase);
        foreach (var row in after.Store.ReadFiles())
            Assert.True(after.TryGetFileKey(row.FileId.Span, new byte[32]));
    }

    [Fact]
    public void A_public_key_that_was_put_into_the_store_is_refused()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        volume.Sql("UPDATE slot_recipient SET public_key = x'0900000000000000000000000000000000000000000000000000000000000000'");
        using var rotation = new KeyRotation(unlocked, []);
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => rotation.Run()).Error);
        Assert.Equal(1, volume.Sql("SELECT key_version FROM volume"));
    }

    [Fact]
    public void Slots_of_an_older_overlay_must_be_used_once_or_dropped()
    {
        using var volume = new TestVolume();
        using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
        using (var unlocked = volume.Unlock())
            unlocked.AddSlot(passphrase, "person", s_cheap);
        volume.Sql("DELETE FROM slot_recipient");
        using (var unlocked = volume.Unlock())
        using (var rotation = new KeyRotation(unlocked, []))
            Assert.Equal(VolumeError.SlotNotReady, Assert.Throws<VolumeException>(rotation.Check).Error);
        VolumeUnlocker.Unlock(volume.Root, passphrase).Dispose();
        using (var unlocked = volume.Unlock())
            Rotate(unlocked);
        VolumeUnlocker.Unlock(volume.Root, passphrase).Dispose();
    }

    [Fact]
    public void The_slot_that_was_used_cannot_be_dropped()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var rotation = new KeyRotation(unlocked, [1]);
        Assert.Equal(VolumeError.BadOption, Assert.Throws<VolumeException>(() => rotation.Run()).Error);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(5_000)]
    [InlineData(9_000)]
    [InlineData(20_000)]
    [InlineData(10_000_000)]
    public void Store_is_old_or_new_when_rotation_was_killed(int steps)
    {
        using var volume = new TestVolume();
        var (ids, keys) = MakeFiles(volume, 500);
        var (status, _, errors) = ChildProcess.Finish(ChildProcess.StartSelf(
            "rotate", volume.Root, volume.KeyFile, steps.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.True(status == (steps == 10_000_000 ? 0 : ChildProcess.Killed), $"ended with {status} {errors}");
        using var unlocked = volume.Unlock();
        Assert.Equal(steps == 10_000_000 ? 2 : 1, unlocked.Store.Volume.KeyVersion);
        AssertKeys(unlocked, ids, keys);
        Rotate(unlocked);
        AssertKeys(unlocked, ids, keys);
    }

    internal static (byte[][] Ids, byte[][] Keys) MakeFiles(TestVolume volume, int count)
    {
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        var (ids, keys) = (new byte[count][], new byte[count][]);
        for (var i = 0; i < count; i++)
        {
            if (pool.IsLow)
                pool.Refill();
            (ids[i], keys[i]) = (new byte[16], new byte[32]);
            pool.Take(ids[i], keys[i]);
            pool.NoteCreated(ids[i], $"dir/{i}");
        }
        pool.Retire();
        return (ids, keys);
    }

    internal static void AssertKeys(UnlockedVolume volume, byte[][] ids, byte[][] keys)
    {
        var key = new byte[32];
        for (var i = 0; i < ids.Length; i++)
        {
            Assert.True(volume.TryGetFileKey(ids[i], key));
            Assert.Equal(keys[i], key);
        }
    }

    internal static void Rotate(UnlockedVolume volume, int dropped = 0)
    {
        using var rotation = new KeyRotation(volume, dropped == 0 ? [] : [dropped]);
        Assert.True(rotation.Run());
        Assert.Equal(0, rotation.Damaged);
        Assert.True(rotation.Done >= rotation.Total, $"{rotation.Done} of {rotation.Total}");
    }
}
