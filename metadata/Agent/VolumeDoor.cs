using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// A second socket of an agent, in <c>.overlay</c>: agents of containers that share a volume have no other directory in common. The keeper has
/// one of a fixed name, those that may inherit from it one of a few others; a dead agent's is taken over by the next (<see cref="AgentListener"/>).
/// </summary>
internal static class VolumeDoor
{
    private const int Deputies = 8;

    /// <summary>Null: this agent cannot have one, since the directory is another user's or its file system has no sockets.</summary>
    internal static AgentListener? TryOpenKeeper(string volumeRoot) => TryOpen(KeeperAddress.InVolume(volumeRoot));

    /// <summary>Null: the same, or there are as many deputies as there may be.</summary>
    internal static AgentListener? TryOpenDeputy(string volumeRoot) =>
        DeputyPaths(volumeRoot).Select(TryOpen).FirstOrDefault(door => door is not null);

    internal static IEnumerable<string> DeputyPaths(string volumeRoot) =>
        Enumerable.Range(0, Deputies).Select(number => $"{volumeRoot}/{VolumePaths.DirectoryName}/deputy.{number}.sock");

    private static AgentListener? TryOpen(string path)
    {
        try
        {
            return new AgentListener(path, reachableByOthers: false);
        }
        catch (ErrnoException)
        {
            return null; // those who can do without, in the same container, find the agent by its other address
        }
    }
}
