namespace Overlay.Metadata.Protocol;

/// <summary>A process that is connected to an agent.</summary>
/// <param name="ProcessId">As the agent's PID namespace has it.</param>
/// <param name="IsCounted">It shares its counters; else they are 0.</param>
public readonly record struct ProcessStatus(int ProcessId, uint UserId, bool IsCounted, CounterValues Counters);
