using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>
/// A lock between processes that is one word of shared memory: no system call where nobody else wants it. A holder that died is found by its
/// name (<see cref="ProcessMark"/>), by whoever waits.
/// </summary>
/// <remarks>
/// The word: 0, or the holder's name, and bit 31 if somebody may be waiting. All inodes with the same hash have one word; so a thread that
/// holds it for one and comes for another just counts. It does not protect what its holder was changing when it died: see <see cref="IRedo"/>.
/// </remarks>
internal sealed unsafe class SharedLock(uint* word, ProcessMark process) : IFileLock
{
    private const uint Waiters = 0x80000000;
    private const int Spins = 100;

    /// <summary>How long a waiter sleeps before it looks whether the holder has died.</summary>
    private const int WaitMilliseconds = 10;

    private const int MostHeld = 4;

    [ThreadStatic]
    private static Held t_held;

    /// <summary>Words that this thread holds, and how often.</summary>
    private struct Held
    {
        internal fixed ulong Words[MostHeld];
        internal fixed int Depths[MostHeld];

        internal int Find(ulong word)
        {
            for (int i = 0; i < MostHeld; i++)
                if (Words[i] == word)
                    return i;
            return -1;
        }
    }

    public void Enter() => _ = Enter(mayWait: true);

    public bool TryEnter()
    {
        try
        {
            return Enter(mayWait: false);
        }
        catch (ErrnoException)
        {
            return false; // no name is to be had: a reader goes on as if nobody had been killed
        }
    }

    /// <summary>By this thread, and for one inode only.</summary>
    internal bool IsHeldOnce
    {
        get
        {
            ref Held held = ref t_held;
            int at = held.Find((ulong)word);
            return at >= 0 && held.Depths[at] == 1;
        }
    }

    private bool Enter(bool mayWait)
    {
        ref Held held = ref t_held;
        int at = held.Find((ulong)word);
        if (at >= 0)
        {
            held.Depths[at] += mayWait ? 1 : 0;
            return mayWait;
        }
        at = held.Find(0);
        if (at < 0)
            throw new InvalidOperationException("too many locks at a time");
        uint name = process.Name;
        if (Interlocked.CompareExchange(ref *word, name, 0) != 0)
        {
            if (mayWait)
                Wait(name);
            else if (!TryTakeFromDead(name))
                return false;
        }
        held.Words[at] = (ulong)word;
        held.Depths[at] = 1;
        return true;
    }

    public void Exit()
    {
        ref Held held = ref t_held;
        int at = held.Find((ulong)word);
        if (--held.Depths[at] > 0)
            return;
        held.Words[at] = 0;
        if ((Interlocked.Exchange(ref *word, 0) & Waiters) != 0)
            _ = Kernel.Futex(word, Kernel.FUTEX_WAKE, 1, null);
    }

    private void Wait(uint name)
    {
        for (int i = 0; i < Spins; i++)
        {
            if (Volatile.Read(ref *word) == 0 && Interlocked.CompareExchange(ref *word, name, 0) == 0)
                return;
            Thread.SpinWait(8);
        }
        Kernel.TimeSpec timeout = new() { Nanoseconds = WaitMilliseconds * 1_000_000 };
        for (; ; )
        {
            uint now = Volatile.Read(ref *word);
            if (now == 0 || !process.IsAlive(now & ~Waiters))
            {
                // Others may be waiting as well: whoever takes it by this way wakes one.
                if (Interlocked.CompareExchange(ref *word, name | Waiters, now) == now)
                    return;
                continue;
            }
            if ((now & Waiters) != 0 || Interlocked.CompareExchange(ref *word, now | Waiters, now) == now)
                _ = Kernel.Futex(word, Kernel.FUTEX_WAIT, now | Waiters, &timeout);
        }
    }

    private bool TryTakeFromDead(uint name)
    {
        uint now = Volatile.Read(ref *word);
        return (now == 0 || !process.IsAlive(now & ~Waiters)) && Interlocked.CompareExchange(ref *word, name | (now & Waiters), now) == now;
    }
}
