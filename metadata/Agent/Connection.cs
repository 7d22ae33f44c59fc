using System;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Agent;

/// <summary>One client.</summary>
internal sealed class Connection : IDisposable
{
    private int _descriptor, _offered = -1;

    internal Connection(int descriptor, int processId, uint userId, bool isGreeted)
    {
        _descriptor = descriptor;
        ProcessId = processId;
        UserId = userId;
        IsGreeted = isGreeted;
        Since = Environment.TickCount64;
    }

    internal int Descriptor => _descriptor;

    /// <summary>The process that made the connection; it may be shared by its children since.</summary>
    internal int ProcessId { get; }

    internal uint UserId { get; }

    internal uint GroupId { get; init; }

    /// <summary>The process, as it is recorded; null: it was not, so far.</summary>
    internal AuditSubject? Subject { get; set; }

    /// <summary>Who it is, for a policy; null: nobody looked when it came.</summary>
    internal PeerProcess? Peer { get; init; }

    /// <summary>Hello was exchanged, here or on the connection this one came by.</summary>
    internal bool IsGreeted { get; set; }

    /// <summary>Of the protocol, as agreed on there.</summary>
    internal ushort Version { get; set; } = AgentMessage.OldestVersion;

    /// <summary>When it came, by <see cref="Environment.TickCount64"/>.</summary>
    internal long Since { get; }

    /// <summary>Keys for new files that this client was given.</summary>
    internal long KeysTaken { get; set; }

    /// <summary>Which keys come along with those that it asks for.</summary>
    internal KeyStream Keys { get; } = new();

    /// <summary>Where its process counts; null: it does not.</summary>
    internal SharedCounters? Counters { get; private set; }

    internal int CounterSlot { get; private set; }

    /// <summary>Once; what comes again is not taken.</summary>
    internal void CountIn(SharedCounters? counters, int slot)
    {
        if (counters is null || Counters is not null)
            return;
        counters.Enter();
        (Counters, CounterSlot) = (counters, slot);
    }

    internal void EndCounting(ref CounterValues sum)
    {
        Counters?.Leave(CounterSlot, ref sum);
        Counters = null;
    }

    /// <summary>A page file that came with "offer"; -1: none.</summary>
    internal ref int Offered => ref _offered;

    public void Dispose()
    {
        CounterValues nobodys = default;
        EndCounting(ref nobodys);
        PacketSocket.CloseIfOpen(ref _offered);
        PacketSocket.CloseIfOpen(ref _descriptor);
    }
}
