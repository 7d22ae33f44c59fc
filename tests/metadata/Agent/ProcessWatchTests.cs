using System;
using System.Linq;
using System.Threading;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

/// <summary>Counters that processes share with their agent.</summary>
public sealed unsafe class ProcessWatchTests : IDisposable
{
    private const int OpenFiles = 1, Opens = 2, ReadBytes = 4; // numbers of a slot, in 8 bytes

    private readonly TestVolume _volume = new();
    private readonly RunningAgent _agent;

    public ProcessWatchTests() => _agent = new RunningAgent(_volume);

    public void Dispose()
    {
        _agent.Dispose();
        _volume.Dispose();
    }

    [Fact]
    public void Process_is_listed_with_what_it_counts_now()
    {
        using var client = _agent.Connect();
        var table = Share(client, CounterSlots.Size, CounterSlots.Seals);
        table[OpenFiles] = 3;
        table[ReadBytes] = 1000;
        table[ProcessCounters.StripesOffset / 8] = 5;
        table[(ProcessCounters.StripesOffset + 7 * ProcessCounters.StripeSize) / 8 + 1] = 24;
        using var asking = _agent.Connect();
        var list = asking.GetProcesses();
        var counted = Assert.Single(list.Processes, process => process.IsCounted);
        Assert.Equal(2, list.Processes.Count);
        Assert.Equal(Environment.ProcessId, counted.ProcessId);
        Assert.Equal((3ul, 5ul, 1024ul), (counted.Counters.OpenFiles, counted.Counters.FilterHits, counted.Counters.ReadBytes));
    }

    [Fact]
    public void Process_that_ends_is_in_the_sum_and_its_slot_is_free()
    {
        using var asking = _agent.Connect();
        var parent = _agent.Connect();
        var table = Share(parent, CounterSlots.Size, CounterSlots.Seals);
        var child = AgentClient.Adopt(parent, 7);
        var slot = table + 7 * ProcessCounters.Size / 8;
        slot[0] = 1;
        (slot[OpenFiles], slot[Opens]) = (2, 10);
        Wait.Until(() => asking.GetProcesses().Processes.Any(process => process.Counters.Opens == 10));
        child.Dispose();
        Wait.Until(() => asking.GetProcesses().Ended.Opens == 10);
        Assert.Equal(0ul, asking.GetProcesses().Ended.OpenFiles);
        Assert.Equal((0ul, 0ul), (slot[0], slot[Opens]));
    }

    [Fact]
    public void More_processes_are_listed_than_go_into_one_packet()
    {
        var clients = Enumerable.Range(0, 150).Select(_ => _agent.Connect()).ToList();
        using var asking = _agent.Connect();
        Assert.Equal(clients.Count + 1, asking.GetProcesses().Processes.Count);
        clients.ForEach(client => client.Dispose());
    }

    /// <summary>What can become shorter would kill the agent when it is read.</summary>
    [Theory]
    [InlineData(CounterSlots.Size, 0)]
    [InlineData(CounterSlots.Size, 4)]
    [InlineData(4096, CounterSlots.Seals)]
    public void Table_that_is_not_sealed_or_too_small_ends_the_connection(int size, int seals)
    {
        using var client = _agent.Connect();
        _ = Share(client, size, seals);
        Assert.ThrowsAny<ErrnoException>(() => client.GetStatus());
        using var other = _agent.Connect();
        Assert.Single(other.GetProcesses().Processes);
    }

    [Fact]
    public void Slot_beyond_the_table_ends_the_connection()
    {
        var parent = _agent.Connect();
        _ = Share(parent, CounterSlots.Size, CounterSlots.Seals);
        using var second = AgentClient.Connect(_agent.SocketPath);
        using var child = AgentClient.Adopt(parent, CounterSlots.Count);
        using var other = _agent.Connect();
        Wait.Until(() => other.GetProcesses().Processes.All(process => !process.IsCounted));
    }

    private static ulong* Share(AgentClient client, int size, int seals)
    {
        var descriptor = FileCalls.MakeMemoryFile("test", CounterSlots.MemoryFlags);
        Assert.True(descriptor >= 0 && FileCalls.SetLength(descriptor, size) == 0);
        Assert.Equal(0, FileCalls.Control(descriptor, CounterSlots.AddSeals, seals));
        var memory = MemoryCalls.Map(0, (nuint)size, MemoryCalls.ReadWrite, MemoryCalls.Shared, descriptor, 0);
        client.ShareCounters(descriptor);
        _ = FileCalls.Close(descriptor);
        return (ulong*)memory;
    }
}
