using System.Threading;

namespace Overlay.Metadata.Agent;

/// <summary>What an agent has done. The agent's thread counts; anybody may read.</summary>
public sealed class AgentMetrics
{
    private long _refused, _turnedAway, _broken, _denied, _accepted, _storeFailures;

    /// <summary>Connections of processes that may not ask this agent.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Connections for which there was no room.</summary>
    public long TurnedAway => Volatile.Read(ref _turnedAway);

    /// <summary>Connections that were closed for what came by them, or because nothing came.</summary>
    public long Broken => Volatile.Read(ref _broken);

    /// <summary>Questions for a key that were answered with none.</summary>
    public long Denied => Volatile.Read(ref _denied);

    /// <summary>Connections that were taken, of forked children, too.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>Times that the store could not be read or written.</summary>
    public long StoreFailures => Volatile.Read(ref _storeFailures);

    /// <summary>Answers to questions for keys.</summary>
    public LatencyHistogram KeyRequests { get; } = new();

    /// <summary>Transactions that write keys and notes.</summary>
    public LatencyHistogram StoreWrites { get; } = new();

    // One thread writes: a store is enough.
    internal void CountRefused() => Volatile.Write(ref _refused, _refused + 1);

    internal void CountTurnedAway() => Volatile.Write(ref _turnedAway, _turnedAway + 1);

    internal void CountBroken() => Volatile.Write(ref _broken, _broken + 1);

    internal void CountDenied() => Volatile.Write(ref _denied, _denied + 1);

    internal void CountAccepted() => Volatile.Write(ref _accepted, _accepted + 1);

    internal void CountStoreFailure() => Volatile.Write(ref _storeFailures, _storeFailures + 1);
}
