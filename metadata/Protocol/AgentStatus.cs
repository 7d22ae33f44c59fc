using System;
using System.Collections.Generic;

namespace Overlay.Metadata.Protocol;

/// <summary>What an agent says of itself.</summary>
public sealed class AgentStatus
{
    internal AgentStatus(int processId, TimeSpan uptime, long keysFound, long keysHandedOut, int connections,
        IReadOnlyList<AgentVolumeStatus> volumes)
    {
        ProcessId = processId;
        Uptime = uptime;
        KeysFound = keysFound;
        KeysHandedOut = keysHandedOut;
        Connections = connections;
        Volumes = volumes;
    }

    public int ProcessId { get; }

    public TimeSpan Uptime { get; }

    /// <summary>Answered requests for the key of a file that exists.</summary>
    public long KeysFound { get; }

    /// <summary>Keys given out for files to be created.</summary>
    public long KeysHandedOut { get; }

    /// <summary>Open connections, the asking one included.</summary>
    public int Connections { get; }

    public IReadOnlyList<AgentVolumeStatus> Volumes { get; }
}
