using System.Runtime.CompilerServices;

namespace Overlay.Metadata.Protocol;

/// <summary>The counters of one process, or of several together, in the order of <see cref="Overlay.Crypto.ProcessCounters"/>, hits of the filter behind them.</summary>
[InlineArray(Length)]
public struct CounterValues
{
    public const int Length = 16;

    private ulong _first;

    public readonly ulong OpenFiles => this[0];

    public readonly ulong Opens => this[1];

    /// <summary>Calls that reached the engine.</summary>
    public readonly ulong EngineReads => this[2];

    public readonly ulong Writes => this[4];

    public readonly ulong WrittenBytes => this[5];

    public readonly ulong CacheHits => this[6];

    public readonly ulong CacheMisses => this[7];

    public readonly ulong Opened => this[8];

    public readonly ulong Sealed => this[9];

    public readonly ulong NotAuthentic => this[10];

    public readonly ulong Damaged => this[11];

    public readonly ulong AgentCalls => this[12];

    public readonly ulong AgentRetries => this[13];

    /// <summary>Reads that the filter answered without the engine.</summary>
    public readonly ulong FilterHits => this[14];

    /// <summary>By the engine and by the filter.</summary>
    public readonly ulong ReadBytes => this[3] + this[15];

    public readonly ulong Reads => EngineReads + FilterHits;

    /// <summary>What is open is open no more when a process has ended.</summary>
    internal void ForgetOpenFiles() => this[0] = 0;

    public void Add(in CounterValues other)
    {
        for (int i = 0; i < Length; i++)
            this[i] += other[i];
    }
}
