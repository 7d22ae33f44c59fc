using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Keys;

/// <summary>The store's part of a change of a file's key.</summary>
public class NextKeyTests
{
    [Fact]
    public void A_next_key_is_durable_one_whoever_asks_and_takes_the_place_of_the_old_one()
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 2);
        using var unlocked = volume.Unlock();
        using var other = volume.Unlock();
        byte[] next = new byte[32], same = new byte[32], all = new byte[64];
        Assert.True(unlocked.TryMakeNextKey(ids[0], "path", next));
        Assert.True(other.TryMakeNextKey(ids[0], "path", same));
        Assert.Equal(next, same);
        Assert.NotEqual(keys[0], next);
        Assert.Equal(2, other.GetFileKeys(ids[0], all));
        Assert.Equal([.. keys[0], .. next], all);
        Assert.Equal(1, other.GetFileKeys(ids[1], all));
        Assert.True(other.TryGetFileKey(ids[0], all.AsSpan(0, 32)));
        Assert.Equal(keys[0], all[..32]); // until the file has come to the next one

        Assert.False(unlocked.TryPromote(ids[0], CipherSuite.Aes256Gcm, CheckOf(keys[0])));
        Assert.True(unlocked.TryPromote(ids[0], CipherSuite.Aes256Gcm, CheckOf(next)));
        Assert.False(other.TryPromote(ids[0], CipherSuite.Aes256Gcm, CheckOf(next)));
        Assert.Equal(1, other.GetFileKeys(ids[0], all));
        Assert.Equal(next, all[..32]);
        Assert.Equal(1, other.Store.TryFindFile(ids[0])!.KeyEpoch);
        Assert.Empty(NextKeyTable.ReadAll(unlocked.Store.Connection));
    }

    [Fact]
    public void Nothing_of_the_old_wrapped_key_is_left_in_the_store()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 1);
        using var unlocked = volume.Unlock();
        var wrapped = unlocked.Store.TryFindFile(ids[0])!.WrappedKey.ToArray();
        var next = new byte[32];
        Assert.True(unlocked.TryMakeNextKey(ids[0], "", next));
        Assert.True(unlocked.TryPromote(ids[0], CipherSuite.Aes256Gcm, CheckOf(next)));
        Assert.True(StoreCleaning.TryClean(unlocked.Store.Connection));
        Assert.Equal(0, StoreCleaning.Count(volume.StorePath, [wrapped], out _));
    }

    /// <summary>What was sealed since there is a next key is counted for that one; its age begins with it.</summary>
    [Fact]
    public void Seals_and_age_are_those_of_the_new_key()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 1);
        using var unlocked = volume.Unlock();
        volume.Sql("UPDATE file SET created = 1000, state = 2");
        unlocked.Store.Connection.InTransaction(() => unlocked.Store.Files.RaiseSequence(ids[0], 1, 1, 70));
        var next = new byte[32];
        Assert.True(unlocked.TryMakeNextKey(ids[0], "", next));
        unlocked.Store.Connection.InTransaction(() => unlocked.Store.Files.RaiseSequence(ids[0], 2, 1, 5));
        Assert.True(unlocked.TryPromote(ids[0], CipherSuite.Aes256Gcm, CheckOf(next)));
        Assert.Equal(5, Assert.Single(StoreInventory.ReadGroups(unlocked.Store.Connection)).MostSeals);
        Assert.True(unlocked.Store.TryFindFile(ids[0])!.Created > DateTimeOffset.UtcNow.AddMinutes(-1));
    }

    [Fact]
    public void A_new_volume_key_wraps_both_keys()
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 3);
        using var agent = volume.Unlock();
        byte[] next = new byte[32], all = new byte[64];
        Assert.True(agent.TryMakeNextKey(ids[1], "", next));
        using (var unlocked = volume.Unlock())
        using (var rotation = new KeyRotation(unlocked, []))
            rotation.Run();
        Assert.Equal(2, agent.GetFileKeys(ids[1], all));
        Assert.Equal([.. keys[1], .. next], all);
        Assert.True(agent.TryPromote(ids[1], CipherSuite.Aes256Gcm, CheckOf(next)));
        Assert.True(agent.TryGetFileKey(ids[1], all.AsSpan(0, 32)));
        Assert.Equal(next, all[..32]);
    }

    [Fact]
    public void Shredding_destroys_both_keys()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 2);
        using var unlocked = volume.Unlock();
        var next = new byte[32];
        Assert.True(unlocked.TryMakeNextKey(ids[0], "", next));
        var backup = volume.At("backup.db");
        StoreBackup.Make(unlocked.Store, backup);
        List<byte[]> wrapped = [unlocked.Store.TryFindFile(ids[0])!.WrappedKey.ToArray(), .. NextKeyTable.ReadWrapped(unlocked.Store.Connection, ids[0])];
        Assert.Equal(2, wrapped.Count);
        var shredder = new KeyShredder(unlocked, "number");
        shredder.DestroyRows([(ids[0], "path")]);
        Assert.Equal(CopyState.Clean, shredder.CleanStore().State);
        Assert.Equal(CopyState.Clean, Assert.Single(shredder.CleanCopies([])).State);
        Assert.Equal(0, StoreCleaning.Count(volume.StorePath, wrapped, out _) + StoreCleaning.Count(backup, wrapped, out _));
        Assert.False(unlocked.TryMakeNextKey(ids[0], "", next));
        Assert.False(unlocked.TryPromote(ids[0], CipherSuite.Aes256Gcm, CheckOf(next)));
        Assert.Equal(0, volume.Sql("SELECT count(*) FROM next_key"));
    }

    [Fact]
    public void An_agent_gives_both_keys_to_who_asks_for_all()
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 5);
        var next = new byte[32];
        using (var unlocked = volume.Unlock())
            Assert.True(unlocked.TryMakeNextKey(ids[2], "", next));
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        Assert.Equal([keys[2], next], AllOf(ids[2]));
        Assert.Equal([keys[1]], AllOf(ids[1]));
        Assert.False(client.TryGetKeys(volume.Config.VolumeId, new byte[16], 0, (_, _) => { }));
        Assert.True(client.TryGetKey(volume.Config.VolumeId, ids[2], next));
        Assert.Equal(keys[2], next);

        List<byte[]> AllOf(byte[] id)
        {
            List<byte[]> found = [];
            Assert.True(client.TryGetKeys(volume.Config.VolumeId, id, 0, (_, key) => found.Add(key.ToArray())));
            return found;
        }
    }

    [Theory]
    [InlineData(0, false, false, 0, false, true)]
    [InlineData(1, false, false, 0, false, false)] // rekeyed since
    [InlineData(1, false, false, 0, true, true)]
    [InlineData(0, true, false, 0, true, true)]
    [InlineData(1, true, false, 0, true, true)]
    [InlineData(0, true, false, 0, false, false)] // begun since
    [InlineData(2, false, false, 34, false, true)]
    [InlineData(31, false, false, 31, false, true)]
    [InlineData(0, false, false, 31, true, true)]
    [InlineData(1, false, true, 0, true, true)] // the store itself knows more, but this is enough
    [InlineData(0, false, true, 0, false, false)]
    public void Copies_that_lack_a_key_are_told_by_the_header(int headerEpoch, bool hasTwoKeys, bool isAheadInStore, long copyEpoch, bool copyHasNext, bool isOpened)
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 1);
        using var unlocked = volume.Unlock();
        volume.Sql($"UPDATE file SET key_epoch = {copyEpoch}, sequence = 9");
        var next = new byte[32];
        if (copyHasNext)
            Assert.True(unlocked.TryMakeNextKey(ids[0], "", next));
        StoreBackup.Make(unlocked.Store, volume.At("copy.db"));
        volume.Sql("UPDATE file SET key_epoch = key_epoch + " + (isAheadInStore ? 1 : 0));
        using var copy = StoreCopy.Open(volume.At("copy.db"));
        var comparison = StoreComparison.Make(copy.Store, unlocked.Store, [new(ids[0], 1, "file", headerEpoch, hasTwoKeys)]);
        Assert.Equal(isOpened ? [] : ["file"], comparison.FilesRekeyed);
        Assert.Equal(!isOpened, comparison.WouldRollBack);
    }

    [Fact]
    public void A_job_is_found_again_until_it_has_ended()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        var store = unlocked.Store.Connection;
        Assert.Null(RekeyJobs.Begin(store, "/v/a", isAnew: false));
        Assert.NotNull(RekeyJobs.Begin(store, "/v/a", isAnew: false));
        Assert.Null(RekeyJobs.Begin(store, "/v/b", isAnew: false));
        Assert.Null(RekeyJobs.Begin(store, "/v/a", isAnew: true));
        RekeyJobs.End(store, "/v/a");
        Assert.Equal(["/v/b"], RekeyJobs.ReadAll(store).Keys);
    }

    private static byte[] CheckOf(byte[] secret)
    {
        using var key = DataKey.Import(CipherSuite.XChaCha20Poly1305, secret);
        return key.KeyCheck.ToArray();
    }
}
