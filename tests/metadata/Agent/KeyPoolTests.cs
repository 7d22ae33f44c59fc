using System;
using System.Linq;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class KeyPoolTests
{
    [Fact]
    public void Key_is_in_the_store_before_it_can_be_taken()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        Assert.Equal(0, pool.Count);
        pool.Refill();
        Assert.Equal(KeyPool.LeastTarget, pool.Count);
        // Seen by another connection, so committed.
        Assert.Equal(KeyPool.LeastTarget, volume.Sql("SELECT count(*) FROM file WHERE state = 0"));
    }

    [Fact]
    public void Refill_tops_up_and_keeps_what_is_there()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        var taken = Enumerable.Range(0, 200).Select(_ => Take(pool)).ToList();
        Assert.True(pool.IsLow);
        pool.Refill();
        taken.AddRange(Enumerable.Range(0, KeyPool.LeastTarget).Select(_ => Take(pool)));
        Assert.Equal(taken.Count, taken.Distinct().Count());
        var key = new byte[32];
        foreach (var (fileId, expected) in taken)
        {
            Assert.True(unlocked.TryGetFileKey(Convert.FromHexString(fileId), key));
            Assert.Equal(expected, Convert.ToHexString(key));
        }
        Assert.Equal(200, volume.Sql("SELECT count(*) FROM file WHERE state = 1"));
    }

    [Fact]
    public void Pool_grows_to_a_bound_while_refills_follow_close()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        for (var i = 0; i < 10; i++)
        {
            pool.Refill();
            Assert.InRange(pool.Count, KeyPool.LeastTarget, KeyPool.MostTarget);
            while (!pool.IsLow)
                _ = Take(pool);
        }
        Assert.True(pool.Count > KeyPool.LeastTarget);
        System.Threading.Thread.Sleep(1_100);
        pool.Refill();
        Assert.False(pool.IsLow);
        while (!pool.IsLow)
            _ = Take(pool);
        Assert.True(pool.Count < KeyPool.LeastTarget);
    }

    [Fact]
    public void Retire_removes_the_rows_of_keys_nobody_got_and_only_those()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using (var pool = new KeyPool(unlocked))
        {
            pool.Refill();
            var (created, _) = Take(pool);
            _ = Take(pool);
            pool.NoteCreated(Convert.FromHexString(created), "dir/name");
            pool.Retire();
        }
        Assert.Equal(0, unlocked.Store.CountFiles(FileState.Pool));
        Assert.Equal(1, unlocked.Store.CountFiles(FileState.Handed));
        Assert.Equal(1, unlocked.Store.CountFiles(FileState.Live));
        Assert.Equal(1, volume.Sql("SELECT count(*) FROM file WHERE path = 'dir/name'"));
    }

    [Fact]
    public void Sequences_only_rise_and_only_of_files_that_have_a_row()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        var fileId = Convert.FromHexString(Take(pool).Item1);
        pool.NoteState(fileId, 7, 1);
        pool.NoteState(fileId, 5, 2);
        pool.NoteState(new byte[16], 9, 1);
        pool.NoteState(fileId, ulong.MaxValue, 1);
        pool.Flush();
        pool.NoteState(fileId, 6, 3);
        pool.Flush();
        var row = unlocked.Store.TryFindFile(fileId)!;
        Assert.Equal((7UL, 1U), (row.Sequence, row.BootWord));
        Assert.Equal(1, volume.Sql("SELECT count(*) FROM file WHERE sequence > 0"));
    }

    [Fact]
    public void Rows_left_by_a_killed_agent_are_not_handed_out_again()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var killed = new KeyPool(unlocked);
        killed.Refill();
        var handed = Enumerable.Range(0, KeyPool.LeastTarget).Select(_ => Take(killed)).ToHashSet();
        using var next = new KeyPool(unlocked);
        next.Refill();
        Assert.DoesNotContain(Enumerable.Range(0, KeyPool.LeastTarget).Select(_ => Take(next)), handed.Contains);
    }

    [Fact]
    public void Late_note_of_handing_out_does_not_undo_that_the_file_lives()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        var (fileId, _) = Take(pool);
        pool.NoteCreated(Convert.FromHexString(fileId), "a");
        pool.Flush();
        unlocked.Store.Connection.InTransaction(() => unlocked.Store.Files.SetHanded(Convert.FromHexString(fileId)));
        var row = unlocked.Store.TryFindFile(Convert.FromHexString(fileId))!;
        Assert.Equal((FileState.Live, "a"), (row.State, row.Path));
    }

    [Fact]
    public void Failed_refill_leaves_the_pool_as_it_was_and_can_be_repeated()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        for (var i = 0; i < 200; i++)
            _ = Take(pool);
        unlocked.Store.Connection.Execute("PRAGMA query_only = ON");
        Assert.Throws<VolumeException>(pool.Refill);
        Assert.Equal(56, pool.Count);
        unlocked.Store.Connection.Execute("PRAGMA query_only = OFF");
        pool.Refill();
        Assert.False(pool.IsLow);
        Assert.Equal(200, unlocked.Store.CountFiles(FileState.Handed));
    }

    private static (string FileId, string Key) Take(KeyPool pool)
    {
        byte[] fileId = new byte[16], key = new byte[32];
        pool.Take(fileId, key);
        return (Convert.ToHexString(fileId), Convert.ToHexString(key));
    }
}
