using System;
using System.IO;
using System.Linq;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Keys;

public class KeyShredderTests
{
    [Fact]
    public void Nothing_of_the_wrapped_keys_is_left_in_store_or_backups_and_others_stay()
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 400);
        using var unlocked = volume.Unlock();
        var backup = volume.At("backup.db");
        StoreBackup.Make(unlocked.Store, backup);
        var gone = ids.Where((_, i) => i % 3 == 0).ToList();
        var wrapped = gone.Select(id => unlocked.Store.TryFindFile(id)!.WrappedKey.ToArray()).ToList();
        Assert.Equal(wrapped.Count, StoreCleaning.Count(volume.StorePath, wrapped, out _));
        Assert.Equal(wrapped.Count, StoreCleaning.Count(backup, wrapped, out _));
        var shredder = new KeyShredder(unlocked, "number");
        shredder.DestroyRows(gone.Select(id => (id, "path")).ToList());
        Assert.Equal((CopyState.Clean, 0), (shredder.CleanStore() is var store ? store.State : default, store.Left));
        Assert.Equal(CopyState.Clean, Assert.Single(shredder.CleanCopies([])).State);
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(volume.StorePath)!, "store.db*").Append(backup))
        {
            var bytes = File.ReadAllBytes(path);
            Assert.DoesNotContain(wrapped, key => bytes.AsSpan().IndexOf(key.AsSpan(16)) >= 0);
        }
        for (var i = 0; i < ids.Length; i++)
        {
            var key = new byte[32];
            Assert.Equal(i % 3 != 0, unlocked.TryGetFileKey(ids[i], key));
            Assert.Equal(i % 3 != 0 ? keys[i] : new byte[32], key);
        }
    }

    [Fact]
    public void A_backup_that_is_gone_or_anothers_is_told()
    {
        using var volume = new TestVolume();
        using var other = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 1);
        using var unlocked = volume.Unlock();
        StoreBackup.Make(unlocked.Store, volume.At("gone.db"));
        File.Delete(volume.At("gone.db"));
        var shredder = new KeyShredder(unlocked, "number");
        shredder.DestroyRows([(ids[0], "path")]);
        File.WriteAllText(volume.At("text"), "no database at all, but long enough to be looked at");
        Assert.Equal([CopyState.Missing, CopyState.Foreign, CopyState.Unreachable],
            shredder.CleanCopies([other.StorePath, volume.At("text")]).Select(copy => copy.State).ToArray());
    }

    [Fact]
    public void The_search_finds_what_lies_across_two_pieces()
    {
        using var directory = new TestDirectory();
        var pattern = Enumerable.Range(1, 64).Select(i => (byte)i).ToArray();
        foreach (var at in new[] { 0, (1 << 20) - 63, (1 << 20) - 256, (1 << 20) - 1, 1 << 20, (2 << 20) - 320, (2 << 20) - 10, 3_000_000 - 64 })
        {
            var bytes = new byte[3_000_000];
            pattern.CopyTo(bytes, at);
            File.WriteAllBytes(directory.At("file"), bytes);
            Assert.Equal(1, StoreCleaning.Count(directory.At("file"), [pattern, new byte[64].Select((_, i) => (byte)(200 - i)).ToArray()], out var scanned));
            Assert.Equal(bytes.Length, scanned);
        }
    }

    [Fact]
    public void An_agent_that_was_there_before_has_no_key_left_to_give()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 3);
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        Assert.True(client.TryGetKey(volume.Config.VolumeId, ids[1], new byte[32]));
        using (var unlocked = volume.Unlock())
            new KeyShredder(unlocked, "number").DestroyRows([(ids[1], "path")]);
        Assert.False(client.TryGetKey(volume.Config.VolumeId, ids[1], new byte[32]));
        var given = 0;
        Assert.True(client.TryGetKeys(volume.Config.VolumeId, ids[0], 64, (id, _) => given += id.SequenceEqual(ids[1]) ? 1 : 0));
        Assert.Equal(0, given);
        // What a program tells of it later does not bring a row back.
        client.NoteCreated(volume.Config.VolumeId, [(ids[1], "path")]);
        client.NoteStates(volume.Config.VolumeId, 1, [new(ids[1], 9, 1)]);
        agent.Stop();
        Assert.Equal(0, volume.Sql($"SELECT count(*) FROM file WHERE file_id = x'{Convert.ToHexString(ids[1])}'"));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(80)]
    [InlineData(200)]
    [InlineData(1_000)]
    [InlineData(1_500)]
    [InlineData(100_000_000)]
    public void Killed_at_any_step_it_is_not_begun_or_can_be_finished(int steps)
    {
        using var volume = new TestVolume();
        var (ids, keys) = KeyRotationTests.MakeFiles(volume, 200);
        byte[] wrapped;
        using (var before = volume.Unlock())
        {
            wrapped = before.Store.TryFindFile(ids[7])!.WrappedKey.ToArray();
            StoreBackup.Make(before.Store, volume.At("backup.db"));
        }
        var (status, _, errors) = ChildProcess.Finish(ChildProcess.StartSelf("shred", volume.Root, volume.KeyFile, Convert.ToHexString(ids[7]),
            steps.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.True(status == (steps == 100_000_000 ? 0 : ChildProcess.Killed), $"ended with {status} {errors}");
        using var unlocked = volume.Unlock();
        bool isThere = unlocked.Store.TryFindFile(ids[7]) is not null;
        Assert.Equal(isThere, ShredTable.TryFind(unlocked.Store.Connection, ids[7]) is null);
        var shredder = new KeyShredder(unlocked, "again");
        shredder.DestroyRows([(ids[7], "file")]);
        Assert.Equal(CopyState.Clean, shredder.CleanStore().State);
        Assert.Equal(CopyState.Clean, Assert.Single(shredder.CleanCopies([])).State);
        Assert.Equal(0, StoreCleaning.Count(volume.StorePath, [wrapped], out _));
        Assert.Equal(0, StoreCleaning.Count(volume.At("backup.db"), [wrapped], out _));
        KeyRotationTests.AssertKeys(unlocked, [.. ids.Where((_, i) => i != 7)], [.. keys.Where((_, i) => i != 7)]);
    }
}
