using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Overlay.Crypto;

namespace Overlay.Metadata.Protocol;

/// <summary>The memory file in which a process and what it forks count for their agent: slots of <see cref="ProcessCounters"/>.</summary>
public static unsafe class CounterSlots
{
    public const int Count = 128;

    /// <summary>Bytes; only what is used takes memory.</summary>
    public const int Size = Count * ProcessCounters.Size;

    /// <summary>MFD_CLOEXEC | MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL.</summary>
    public const uint MemoryFlags = 3, NeverExecutable = 8;

    /// <summary>F_ADD_SEALS, F_GET_SEALS; F_SEAL_SHRINK | F_SEAL_GROW.</summary>
    public const int AddSeals = 1033, GetSeals = 1034, Seals = 2 | 4;

    /// <summary>Numbers that follow <see cref="ProcessCounters.IsTaken"/> and are counters.</summary>
    private const int Plain = 14;

    /// <summary>Adds what a slot says to a sum.</summary>
    public static void AddTo(ref CounterValues sum, byte* table, int slot)
    {
        ulong* counters = (ulong*)(table + slot * ProcessCounters.Size) + 1;
        for (int i = 0; i < Plain; i++)
            sum[i] += Volatile.Read(ref counters[i]);
        ulong* stripes = (ulong*)(table + slot * ProcessCounters.Size + ProcessCounters.StripesOffset);
        for (int i = 0; i < ProcessCounters.Stripes; i++)
        {
            sum[Plain] += Volatile.Read(ref stripes[i * ProcessCounters.StripeSize / sizeof(ulong)]);
            sum[Plain + 1] += Volatile.Read(ref stripes[i * ProcessCounters.StripeSize / sizeof(ulong) + 1]);
        }
    }

    /// <summary>For somebody else to take.</summary>
    public static void Clear(byte* table, int slot)
    {
        byte* start = table + slot * ProcessCounters.Size;
        new Span<byte>(start + sizeof(ulong), ProcessCounters.Size - sizeof(ulong)).Clear();
        Volatile.Write(ref Unsafe.AsRef<ulong>(start), 0);
    }
}
