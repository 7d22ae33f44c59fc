using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Crypto;

/// <summary>
/// What one process has done with sealed files, in memory that it shares with its agent (shim/native/counters.h repeats the layout; a test compares
/// them). For people who watch, not for decisions: whoever shares the memory may write to it, and threads that count a hit in the
/// same moment may lose one.
/// </summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 8 slot is taken · 8 14×8 the counters below · 512 8×64 hits of the filter: a line for each of several threads, of 8 calls and 8 bytes.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Size)]
public unsafe struct ProcessCounters
{
    public const int Size = 1024, StripesOffset = 512, Stripes = 8, StripeSize = 64;

    public ulong IsTaken;

    /// <summary>Sealed files that are open now.</summary>
    public ulong OpenFiles;

    /// <summary>Opened by the engine; what the filter opens by itself is not counted.</summary>
    public ulong Opens;
    public ulong Reads;
    public ulong ReadBytes;
    public ulong Writes;
    public ulong WrittenBytes;

    /// <summary>Parts of reads that the engine's cache had, and had not.</summary>
    public ulong CacheHits;
    public ulong CacheMisses;

    /// <summary>Pieces of ciphertext: blocks, parts of them, and index records.</summary>
    public ulong Opened;
    public ulong Sealed;

    /// <summary>Whose tag did not match. A read that another process's write crossed is one, too, and is done again.</summary>
    public ulong NotAuthentic;

    /// <summary>Refused as damaged in the end: the program got EIO.</summary>
    public ulong Damaged;

    /// <summary>Questions to the agent, and those that had to be asked again.</summary>
    public ulong AgentCalls;
    public ulong AgentRetries;

    /// <summary>Where this process counts; null: nobody watches it.</summary>
    public static ProcessCounters* Current { get; set; }

    /// <summary>Adds one. No cost worth mentioning beside sealing, a system call or a question.</summary>
    public static void CountOpened(bool isAuthentic)
    {
        ProcessCounters* counters = Current;
        if (counters != null)
            Interlocked.Increment(ref isAuthentic ? ref counters->Opened : ref counters->NotAuthentic);
    }

    public static void CountSealed()
    {
        ProcessCounters* counters = Current;
        if (counters != null)
            Interlocked.Increment(ref counters->Sealed);
    }

    public static void CountRead(long bytes)
    {
        ProcessCounters* counters = Current;
        if (counters == null)
            return;
        Interlocked.Increment(ref counters->Reads);
        Interlocked.Add(ref counters->ReadBytes, (ulong)bytes);
    }

    public static void CountWrite(long bytes)
    {
        ProcessCounters* counters = Current;
        if (counters == null)
            return;
        Interlocked.Increment(ref counters->Writes);
        Interlocked.Add(ref counters->WrittenBytes, (ulong)bytes);
    }

    public static bool CountCached(bool isHit)
    {
        ProcessCounters* counters = Current;
        if (counters != null)
            Interlocked.Increment(ref isHit ? ref counters->CacheHits : ref counters->CacheMisses);
        return isHit;
    }

    public static void CountDamage()
    {
        ProcessCounters* counters = Current;
        if (counters != null)
            Interlocked.Increment(ref counters->Damaged);
    }

    public static void CountQuestion(bool isRepeated)
    {
        ProcessCounters* counters = Current;
        if (counters != null)
            Interlocked.Increment(ref isRepeated ? ref counters->AgentRetries : ref counters->AgentCalls);
    }

    /// <param name="nowOpen">How many are open, this one included.</param>
    public static void CountOpen(int nowOpen)
    {
        ProcessCounters* counters = Current;
        if (counters == null)
            return;
        Interlocked.Increment(ref counters->Opens);
        Volatile.Write(ref counters->OpenFiles, (ulong)nowOpen);
    }

    public static void ShowOpen(int nowOpen)
    {
        ProcessCounters* counters = Current;
        if (counters != null)
            Volatile.Write(ref counters->OpenFiles, (ulong)nowOpen);
    }
}
