using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// Where this process counts (<see cref="ProcessCounters"/>): a slot of a memory file that it shares with its agent. Whoever connects makes
/// the file; its forked children find a free slot in it and name that when they hand over their connection, which costs them no system call. The agent
/// frees the slot of a connection that ended. Where anything of this fails, nobody counts, and nothing else changes.
/// </summary>
internal static unsafe class CounterTable
{
    /// <summary>Of the process and what it forks; who finds none is not counted.</summary>
    internal const int NoSlot = AgentClient.NoCounters;

    private static byte* s_table;

    /// <summary>The filter's pointer; set at start. Null in tests, where there is no filter.</summary>
    internal static ProcessCounters** ForFilter { get; set; }

    /// <summary>
    /// A new table, with this process in its first slot; to be sent to the agent and closed. What was counted so far goes along. -1: there is none, and
    /// nothing is counted.
    /// </summary>
    internal static int Make()
    {
        int fd = MakeMemory();
        if (fd < 0)
            return -1;
        nint memory = Kernel.Map(0, CounterSlots.Size, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_SHARED, fd, 0);
        if (memory == -1)
        {
            _ = Kernel.Close(fd);
            return -1;
        }
        // The one before, of an agent that is gone, stays mapped: other threads may be counting there.
        s_table = (byte*)memory;
        ProcessCounters* before = ProcessCounters.Current, mine = (ProcessCounters*)memory;
        if (before != null)
        {
            *mine = *before;
            // An agent that has it still, and sees its connection close, would count it twice.
            new Span<byte>((byte*)before + sizeof(ulong), ProcessCounters.Size - sizeof(ulong)).Clear();
        }
        mine->IsTaken = 1;
        Use(mine);
        return fd;
    }

    /// <summary>In a forked child, which would go on counting as its parent. Its slot, or <see cref="NoSlot"/>.</summary>
    internal static int TakeSlot()
    {
        Use(null);
        for (int i = 0; s_table != null && i < CounterSlots.Count; i++)
        {
            ProcessCounters* slot = (ProcessCounters*)(s_table + i * ProcessCounters.Size);
            if (Interlocked.CompareExchange(ref slot->IsTaken, 1, 0) != 0)
                continue;
            Use(slot);
            return i;
        }
        return NoSlot;
    }

    /// <summary>Nobody will read it.</summary>
    internal static void GiveBack(int slot)
    {
        if (slot == NoSlot)
            return;
        Use(null);
        CounterSlots.Clear(s_table, slot);
    }

    private static void Use(ProcessCounters* counters)
    {
        ProcessCounters.Current = counters;
        if (ForFilter != null)
            Volatile.Write(ref *(nint*)ForFilter, (nint)counters);
    }

    /// <summary>Sealed against becoming shorter: the agent would die of it.</summary>
    private static int MakeMemory()
    {
        int fd = -1;
        fixed (byte* name = "overlay-counters"u8)
            foreach (uint flags in (ReadOnlySpan<uint>)[CounterSlots.MemoryFlags | CounterSlots.NeverExecutable, CounterSlots.MemoryFlags])
                if (fd < 0)
                    fd = Kernel.CreateMemoryFile(name, flags); // the second for a kernel before 6.3
        if (fd < 0)
            return -1;
        if (TrySetLength(fd) && Kernel.Control(fd, CounterSlots.AddSeals, CounterSlots.Seals) == 0)
            return fd;
        _ = Kernel.Close(fd);
        return -1;
    }

    private static bool TrySetLength(int fd)
    {
        _ = FileSizeLimit.Read();
        if (!FileSizeLimit.IsExceeded(CounterSlots.Size))
            return Kernel.SetLength(fd, CounterSlots.Size) == 0;
        try
        {
            using (FileSizeLimit.Lift(CounterSlots.Size))
                return Kernel.SetLength(fd, CounterSlots.Size) == 0;
        }
        catch (ErrnoException)
        {
            return false; // a hard limit: this process is not watched
        }
    }
}
