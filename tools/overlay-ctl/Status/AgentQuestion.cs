using System;
using System.CommandLine;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Status;

/// <summary>Which agent is asked, and how it is told that none answers.</summary>
internal static class AgentQuestion
{
    internal static Argument<string?> Volume() => new("VOLUME")
    {
        Description = "Volume whose agent is asked (default: the one of OVERLAY_AGENT).", Arity = ArgumentArity.ZeroOrOne,
    };

    internal static (AgentStatus Status, ProcessList Processes) Ask(string? volume)
    {
        string? address = volume is not null
            ? AgentAddress.ForVolume(VolumeConfig.Load(volume).VolumeId)
            : Environment.GetEnvironmentVariable("OVERLAY_AGENT");
        if (string.IsNullOrEmpty(address))
            throw new ControlException(ExitCodes.Usage, "which agent? Give a VOLUME, or run inside 'overlay-ctl run'.");
        try
        {
            using AgentClient client = AgentClient.Connect(address);
            return (client.GetStatus(), client.GetProcesses());
        }
        catch (ErrnoException exception)
        {
            throw new ControlException(ExitCodes.NoAgent, $"no agent answers at {address} (errno {exception.Errno}). 'overlay-ctl agent' or 'overlay-ctl run' starts one" +
                (volume is null ? "." : "; the one of 'run' is asked from inside of it, without VOLUME."));
        }
    }
}
