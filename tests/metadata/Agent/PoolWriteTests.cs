using System;
using System.Linq;
using System.Threading;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

/// <summary>The pool's transactions on another thread.</summary>
public class PoolWriteTests
{
    private const int Patience = 30_000;

    /// <summary>Invariant 9.</summary>
    [Fact]
    public void Keys_are_in_the_pool_only_after_their_rows_are_on_the_disk()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var other = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        other.Store.Connection.Execute("BEGIN IMMEDIATE"); // nothing can be written now
        pool.BeginRefill();
        Assert.True(pool.IsWriting);
        Assert.Null(pool.TryFinish());
        Assert.Equal(0, pool.Count);
        other.Store.Connection.Execute("ROLLBACK");
        Assert.True(SpinWait.SpinUntil(() => pool.TryFinish() is not null, Patience));
        Assert.False(pool.IsWriting);
        Assert.Equal(KeyPool.LeastTarget, pool.Count);
        Assert.Equal(KeyPool.LeastTarget, volume.Sql("SELECT count(*) FROM file WHERE state = 0"));
    }

    [Fact]
    public void Keys_are_handed_out_while_it_is_written()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var other = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        other.Store.Connection.Execute("BEGIN IMMEDIATE");
        pool.BeginRefill();
        byte[] fileId = new byte[16], key = new byte[32], derived = new byte[32], expected = new byte[32];
        for (var i = 0; i < KeyPool.LeastTarget; i++)
        {
            pool.AwaitKeys(); // there are some
            Assert.True(pool.IsWriting);
            pool.Take(fileId, key, derived);
            pool.NoteCreated(fileId, $"f{i}");
            DataKey.Derive(key, expected);
            Assert.Equal(expected, derived);
            Assert.Equal($"f{i}", pool.PathNoted(fileId));
        }
        other.Store.Connection.Execute("ROLLBACK");
        pool.AwaitKeys();
        Assert.NotEqual(0, pool.Count);
        pool.Flush();
        Assert.Equal(KeyPool.LeastTarget, unlocked.Store.CountFiles(FileState.Live));
    }

    [Fact]
    public void Whoever_needs_a_key_waits_for_what_was_begun()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.BeginRefill();
        pool.AwaitKeys();
        Assert.Equal(KeyPool.LeastTarget, pool.Count);
    }

    [Fact]
    public void What_was_noted_outlives_a_write_that_fails_and_is_known_meanwhile()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var other = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        byte[] first = new byte[16], second = new byte[16], key = new byte[32];
        pool.Take(first, key);
        pool.Take(second, key);
        pool.NoteCreated(first, "a");
        pool.NoteState(first, 3, 1, 10);
        volume.Sql("CREATE TRIGGER no BEFORE UPDATE ON file BEGIN SELECT raise(ABORT, 'no'); END");
        pool.BeginFlush();
        Assert.Equal("a", pool.PathNoted(first));
        pool.NoteState(first, 5, 2, 1);
        pool.NoteCreated(second, "b");
        Assert.Throws<VolumeException>(() => SpinWait.SpinUntil(() => pool.TryFinish() is not null, Patience));
        Assert.False(pool.IsWriting);
        volume.Sql("DROP TRIGGER no");
        pool.BeginFlush();
        Assert.True(SpinWait.SpinUntil(() => pool.TryFinish() is not null, Patience));
        Assert.False(pool.HasNotes);
        FileRow a = unlocked.Store.TryFindFile(first)!, b = unlocked.Store.TryFindFile(second)!;
        Assert.Equal((FileState.Live, "a", 5UL, 2u), (a.State, a.Path, a.Sequence, a.BootWord));
        Assert.Equal((FileState.Live, "b"), (b.State, b.Path));
        Assert.Equal(11, volume.Sql("SELECT sum(seals) FROM file"));
    }

    /// <summary>Rules of a policy go by it (AgentPolicyTests): whatever a program says later, before, while or after the first is written.</summary>
    [Fact]
    public void The_first_word_on_where_a_file_was_made_is_the_last()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var other = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.Refill();
        byte[] fileId = new byte[16], unnamed = new byte[16], key = new byte[32];
        pool.Take(fileId, key);
        pool.Take(unnamed, key);
        pool.NoteCreated(fileId, "secret/a");
        pool.NoteCreated(fileId, "open/a");
        pool.NoteCreated(unnamed, "");
        pool.NoteCreated(unnamed, "b");
        Assert.Equal("secret/a", pool.PathNoted(fileId));
        other.Store.Connection.Execute("BEGIN IMMEDIATE");
        pool.BeginFlush();
        pool.NoteCreated(fileId, "open/a");
        Assert.Equal("secret/a", pool.PathNoted(fileId));
        other.Store.Connection.Execute("ROLLBACK");
        pool.Flush();
        pool.NoteCreated(fileId, "open/a");
        pool.Flush();
        Assert.Equal(("secret/a", ""), (unlocked.Store.TryFindFile(fileId)!.Path, unlocked.Store.TryFindFile(unnamed)!.Path));
    }

    [Fact]
    public void The_orderly_end_waits_for_it_and_leaves_no_key_that_nobody_got()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using (var pool = new KeyPool(unlocked))
        {
            pool.BeginRefill();
            pool.Retire();
        }
        Assert.Equal(0, volume.Sql("SELECT count(*) FROM file"));
    }

    /// <summary>Their rows, and their places in the index of ids, are neighbours.</summary>
    [Fact]
    public void Keys_that_are_made_together_share_the_beginning_of_their_ids_and_follow_each_other()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        byte[] fileId = new byte[16], key = new byte[32];
        var prefixes = Enumerable.Range(0, 3).Select(_ =>
        {
            pool.Refill();
            var ids = Enumerable.Range(0, pool.Count).Select(_ =>
            {
                pool.Take(fileId, key);
                return Convert.ToHexString(fileId);
            }).ToList();
            Assert.Equal(ids.Count, ids.Distinct().Count());
            var rows = ids.Select(id => volume.Sql($"SELECT rowid FROM file WHERE file_id = x'{id}'")).ToList();
            Assert.Equal(rows.Order(), rows);
            return Assert.Single(ids.Select(id => id[..(2 * KeyChunk.PrefixSize)]).Distinct());
        }).ToList();
        Assert.Equal(3, prefixes.Distinct().Count());
    }

    [Fact]
    public void A_volume_key_that_was_changed_meanwhile_is_followed()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        pool.BeginRefill();
        pool.AwaitKeys();
        using (var other = volume.Unlock())
            Keys.KeyRotationTests.Rotate(other);
        pool.BeginRefill();
        pool.AwaitKeys();
        byte[] fileId = new byte[16], key = new byte[32], found = new byte[32];
        while (pool.Count > 0)
        {
            pool.Take(fileId, key);
            Assert.True(unlocked.TryGetFileKey(fileId, found));
            Assert.Equal(key, found);
        }
    }
}
