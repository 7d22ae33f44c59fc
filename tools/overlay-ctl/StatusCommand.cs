using System;
using System.Buffers;
using System.CommandLine;
using System.Text.Json;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>overlay-ctl status: what a volume's agent says of itself.</summary>
internal static class StatusCommand
{
    internal static Command Make()
    {
        Argument<string?> volume = new("VOLUME") { Description = "Volume whose agent is asked (default: the one of OVERLAY_AGENT).", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("status", "Show what the agent serves.") { volume, json };
        command.SetAction(parsed =>
        {
            AgentStatus status = Ask(parsed.GetValue(volume));
            if (parsed.GetValue(json))
                PrintJson(status);
            else
                Print(status);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static AgentStatus Ask(string? volume)
    {
        string? address = volume is not null
            ? AgentAddress.ForVolume(VolumeConfig.Load(volume).VolumeId)
            : Environment.GetEnvironmentVariable("OVERLAY_AGENT");
        if (string.IsNullOrEmpty(address))
            throw new ControlException(ExitCodes.Usage, "which agent? Give a VOLUME, or run inside 'overlay-ctl run'.");
        try
        {
            using AgentClient client = AgentClient.Connect(address);
            return client.GetStatus();
        }
        catch (ErrnoException exception)
        {
            throw new ControlException(ExitCodes.NoAgent, $"no agent answers at {address}: {exception.Message}");
        }
    }

    private static void Print(AgentStatus status)
    {
        Console.WriteLine($"agent         process {status.ProcessId}, up {status.Uptime:d\\.hh\\:mm\\:ss}");
        Console.WriteLine($"connections   {status.Connections}");
        Console.WriteLine($"keys          {status.KeysFound} found, {status.KeysHandedOut} handed out for new files");
        foreach (AgentVolumeStatus volume in status.Volumes)
            Console.WriteLine($"volume        {volume.Root} ({Convert.ToHexStringLower(volume.VolumeId)}), {volume.PooledKeys} keys in the pool");
    }

    private static void PrintJson(AgentStatus status) => Json.Print(writer =>
    {
        writer.WriteNumber("processId", status.ProcessId);
        writer.WriteNumber("uptimeSeconds", (long)status.Uptime.TotalSeconds);
        writer.WriteNumber("connections", status.Connections);
        writer.WriteNumber("keysFound", status.KeysFound);
        writer.WriteNumber("keysHandedOut", status.KeysHandedOut);
        writer.WriteStartArray("volumes");
        foreach (AgentVolumeStatus volume in status.Volumes)
        {
            writer.WriteStartObject();
            writer.WriteString("root", volume.Root);
            writer.WriteString("volumeId", Convert.ToHexStringLower(volume.VolumeId));
            writer.WriteNumber("pooledKeys", volume.PooledKeys);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
