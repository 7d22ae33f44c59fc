using System;
using System.CommandLine;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Protocol;

namespace Overlay.Ctl.Status;

/// <summary>overlay-ctl status: what a volume's agent says of itself, and of the processes that it serves.</summary>
internal static class StatusCommand
{
    internal static Command Make()
    {
        Argument<string?> volume = AgentQuestion.Volume();
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("status", "Show what the agent serves, and what each process that it serves has read and written.") { volume, json };
        command.SetAction(parsed =>
        {
            (AgentStatus status, ProcessList processes) = AgentQuestion.Ask(parsed.GetValue(volume));
            if (parsed.GetValue(json))
                PrintJson(status, processes);
            else
                Print(status, processes, Screen.CanDraw(Screen.Output) ? Screen.Width(Screen.Output) : 0);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <param name="width">0: lines are as long as they are.</param>
    internal static void Print(AgentStatus status, ProcessList processes, int width)
    {
        Console.WriteLine($"agent         process {status.ProcessId}, up {status.Uptime:d\\.hh\\:mm\\:ss}");
        Console.WriteLine($"connections   {status.Connections}");
        Console.WriteLine($"keys          {status.KeysFound} found, {status.KeysHandedOut} handed out for new files");
        foreach (AgentVolumeStatus volume in status.Volumes)
            Console.WriteLine($"volume        {volume.Root} ({Convert.ToHexStringLower(volume.VolumeId)}), {volume.PooledKeys} keys in the pool");
        CounterValues ended = processes.Ended;
        Console.WriteLine($"ended         processes that ended read {Progress.Size((long)ended.ReadBytes)} and wrote {Progress.Size((long)ended.WrittenBytes)}");
        Console.WriteLine();
        bool isHead = true;
        foreach (string line in ProcessTable.Lines(processes.Processes, width))
        {
            Console.WriteLine(isHead ? Screen.Bold(line, Screen.Output) : line);
            isHead = false;
        }
    }

    private static void PrintJson(AgentStatus status, ProcessList processes) => Json.Print(writer =>
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
        ProcessTable.WriteJson(writer, processes);
    });
}
