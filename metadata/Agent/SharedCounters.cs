using System;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Agent;

/// <summary>A table of counters that a process shares with the agent, mapped for as long as a connection counts in it.</summary>
internal sealed unsafe class SharedCounters
{
    private nint _memory;
    private int _users;

    private SharedCounters(nint memory) => _memory = memory;

    /// <summary>Null: it is not what it should be (it could become shorter under our feet), or there is no memory.</summary>
    /// <param name="descriptor">Stays the caller's.</param>
    internal static SharedCounters? Map(int descriptor)
    {
        FileStatus status;
        bool isSound = FileCalls.Stat(descriptor, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) == 0 && status.Size == CounterSlots.Size
            && FileCalls.Control(descriptor, CounterSlots.GetSeals, 0) is int seals and >= 0 && (seals & CounterSlots.Seals) == CounterSlots.Seals;
        if (!isSound)
            return null;
        nint memory = MemoryCalls.Map(0, CounterSlots.Size, MemoryCalls.ReadWrite, MemoryCalls.Shared, descriptor, 0);
        return memory == -1 ? null : new SharedCounters(memory);
    }

    internal void Enter() => _users++;

    internal void AddTo(ref CounterValues sum, int slot) => CounterSlots.AddTo(ref sum, (byte*)_memory, slot);

    /// <summary>The slot's process has gone; what it counted is added to a sum.</summary>
    internal void Leave(int slot, ref CounterValues sum)
    {
        CounterValues last = default;
        AddTo(ref last, slot);
        last.ForgetOpenFiles();
        sum.Add(last);
        CounterSlots.Clear((byte*)_memory, slot);
        if (--_users > 0)
            return;
        _ = MemoryCalls.Unmap(_memory, CounterSlots.Size);
        _memory = 0;
    }
}
