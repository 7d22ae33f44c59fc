using System;
using System.Threading;
using Overlay.Files;
using Xunit;

namespace Overlay.Tests.Engine;

/// <summary>Locks in shared memory; "processes" are descriptions of the lock file of their own, which is all that tells them apart.</summary>
public class SharedLockTests
{
    private const ulong Inode = 77;

    [Fact]
    public void A_lock_keeps_others_out_until_it_is_left()
    {
        using SharedTable shared = new();
        using SharedTable.Process one = shared.Join(1), other = shared.Join(1);
        IFileLock mine = one.Table.LockOf(Inode), theirs = other.Table.LockOf(Inode);
        mine.Enter();
        Assert.False(OnAnotherThread(theirs.TryEnter));
        mine.Exit();
        Assert.True(OnAnotherThread(() => EnterAndExit(theirs)));
    }

    [Fact]
    public void The_lock_of_a_dead_process_is_taken_over()
    {
        using SharedTable shared = new();
        using SharedTable.Process heir = shared.Join(1);
        SharedTable.Process dead = shared.Join(1);
        Assert.True(OnAnotherThread(() => { dead.Table.LockOf(Inode).Enter(); return true; }));
        IFileLock theirs = heir.Table.LockOf(Inode);
        Assert.False(theirs.TryEnter());
        dead.Dispose();
        Assert.True(theirs.TryEnter());
        theirs.Exit();
    }

    /// <summary>Its number is given out again at once: that one lives, and has never had the lock.</summary>
    [Fact]
    public void The_lock_of_a_dead_process_is_not_that_of_who_has_its_number_now()
    {
        using SharedTable shared = new();
        using SharedTable.Process waiter = shared.Join(1);
        SharedTable.Process dead = shared.Join(1);
        Assert.True(OnAnotherThread(() => { dead.Table.LockOf(Inode).Enter(); return true; }));
        dead.Dispose();
        using SharedTable.Process follower = shared.Join(1);
        follower.Table.LockOf(Inode + 1).Enter();
        Assert.True(waiter.Table.LockOf(Inode).TryEnter());
        waiter.Table.LockOf(Inode).Exit();
        follower.Table.LockOf(Inode + 1).Exit();
    }

    [Fact]
    public void A_waiter_gets_it_when_the_holder_dies()
    {
        using SharedTable shared = new();
        using SharedTable.Process heir = shared.Join(1);
        SharedTable.Process dead = shared.Join(1);
        Assert.True(OnAnotherThread(() => { dead.Table.LockOf(Inode).Enter(); return true; }));
        Thread waiter = new(() => EnterAndExit(heir.Table.LockOf(Inode)));
        waiter.Start();
        Assert.False(waiter.Join(50));
        dead.Dispose();
        Assert.True(waiter.Join(20_000));
    }

    [Fact]
    public void Many_threads_of_several_processes_count_exactly()
    {
        using SharedTable shared = new();
        using SharedTable.Process one = shared.Join(1), other = shared.Join(1);
        int count = 0;
        Thread[] threads = new Thread[6];
        for (int i = 0; i < threads.Length; i++)
        {
            IFileLock entered = (i % 2 == 0 ? one : other).Table.LockOf(Inode);
            threads[i] = new Thread(() =>
            {
                for (int round = 0; round < 20_000; round++)
                {
                    entered.Enter();
                    count++;
                    entered.Exit();
                }
            });
            threads[i].Start();
        }
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal(120_000, count);
    }

    /// <summary>Two inodes of one word, in one thread: the second is no reason to stand still, and no proof that anybody was killed.</summary>
    [Fact]
    public void One_thread_may_hold_two_inodes_of_the_same_word()
    {
        using SharedTable shared = new();
        Assert.True(shared.IsLocking, "this file system does not write in place: nothing is tested");
        using SharedTable.Process one = shared.Join(1), other = shared.Join(1);
        ulong twin = Inode + 1;
        while (Metadata.Protocol.LiveTable.IndexOf(twin) != Metadata.Protocol.LiveTable.IndexOf(Inode))
            twin++;
        IFileLock first = one.Table.LockOf(Inode), second = one.Table.LockOf(twin);
        ICoherence counter = one.Table.For(Inode);
        first.Enter();
        counter.BeginWrite();
        second.Enter();
        one.Table.For(twin).ForgetKilled();
        Assert.Equal(1UL, counter.Word & 0xFFFF);
        Assert.False(second.TryEnter());
        second.Exit();
        Assert.False(OnAnotherThread(other.Table.LockOf(Inode).TryEnter));
        counter.EndWrite();
        first.Exit();
        Assert.True(OnAnotherThread(() => EnterAndExit(other.Table.LockOf(Inode))));
    }

    [Fact]
    public void Writers_that_were_killed_are_forgotten()
    {
        using SharedTable shared = new();
        using SharedTable.Process one = shared.Join(1);
        ICoherence counter = one.Table.For(Inode);
        counter.BeginWrite(); // and was killed
        one.Table.LockOf(Inode).Enter();
        one.Table.For(Inode).ForgetKilled();
        Assert.Equal(65_536UL, counter.Word);
        one.Table.LockOf(Inode).Exit();
    }

    private static bool EnterAndExit(IFileLock entered)
    {
        entered.Enter();
        entered.Exit();
        return true;
    }

    private static bool OnAnotherThread(Func<bool> act)
    {
        bool result = false;
        Thread thread = new(() => result = act());
        thread.Start();
        thread.Join();
        return result;
    }
}
