using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Protocol;

namespace Overlay.Ctl.Status;

/// <summary>The processes of an agent, a line each.</summary>
internal static class ProcessTable
{
    private const int CommandWidth = 16;

    internal static string Head { get; } = $"{"pid",7} {"user",6} {"command",-CommandWidth} {"files",5} {"read",10} {"written",10} {"reads",9} {"writes",9} {"hits",6}";

    /// <summary>Those that count, busiest first; then, in one line, how many others there are.</summary>
    /// <param name="width">Longer lines are cut; 0: none is.</param>
    internal static IEnumerable<string> Lines(IReadOnlyList<ProcessStatus> processes, int width)
    {
        yield return Cut(Head, width);
        foreach (ProcessStatus process in Sorted(processes))
            yield return Cut(Line(process), width);
    }

    /// <summary>The share of what was read that came from memory; null: nothing was read.</summary>
    internal static double? HitShare(in CounterValues counters)
    {
        double hits = (double)counters.FilterHits + counters.CacheHits, all = hits + counters.CacheMisses;
        return all == 0 ? null : hits / all;
    }

    internal static void WriteJson(Utf8JsonWriter writer, ProcessList list)
    {
        writer.WriteStartArray("processes");
        foreach (ProcessStatus process in list.Processes.Where(process => process.IsCounted))
        {
            writer.WriteStartObject();
            writer.WriteNumber("processId", process.ProcessId);
            writer.WriteNumber("userId", process.UserId);
            writer.WriteString("command", CommandOf(process.ProcessId));
            WriteCounters(writer, process.Counters);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartObject("ended");
        WriteCounters(writer, list.Ended);
        writer.WriteEndObject();
    }

    internal static IEnumerable<ProcessStatus> Sorted(IReadOnlyList<ProcessStatus> processes) => processes.Where(process => process.IsCounted)
        .OrderByDescending(process => process.Counters.ReadBytes + process.Counters.WrittenBytes).ThenBy(process => process.ProcessId);

    private static string Line(in ProcessStatus process)
    {
        CounterValues counters = process.Counters;
        string hits = HitShare(counters) is double share ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %") : "-";
        return string.Create(CultureInfo.InvariantCulture,
            $"{process.ProcessId,7} {process.UserId,6} {Cut(CommandOf(process.ProcessId), CommandWidth),-CommandWidth} {counters.OpenFiles,5} {Progress.Size((long)counters.ReadBytes),10} " +
            $"{Progress.Size((long)counters.WrittenBytes),10} {counters.Reads,9} {counters.Writes,9} {hits,6}");
    }

    private static void WriteCounters(Utf8JsonWriter writer, in CounterValues counters)
    {
        writer.WriteNumber("openFiles", counters.OpenFiles);
        writer.WriteNumber("opens", counters.Opens);
        writer.WriteNumber("reads", counters.Reads);
        writer.WriteNumber("readBytes", counters.ReadBytes);
        writer.WriteNumber("writes", counters.Writes);
        writer.WriteNumber("writtenBytes", counters.WrittenBytes);
        writer.WriteNumber("hitsOfFilter", counters.FilterHits);
        writer.WriteNumber("hitsOfEngine", counters.CacheHits);
        writer.WriteNumber("misses", counters.CacheMisses);
        writer.WriteNumber("piecesOpened", counters.Opened);
        writer.WriteNumber("piecesSealed", counters.Sealed);
        writer.WriteNumber("authenticationFailures", counters.NotAuthentic);
        writer.WriteNumber("damage", counters.Damaged);
        writer.WriteNumber("agentQuestions", counters.AgentCalls);
        writer.WriteNumber("agentQuestionsRepeated", counters.AgentRetries);
    }

    /// <summary>As the kernel has it here; the agent may know the process by another number, or it may have ended.</summary>
    private static string CommandOf(int processId)
    {
        try
        {
            return FindingText.Escape(File.ReadAllText($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/comm").TrimEnd('\n'));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "?";
        }
    }

    private static string Cut(string line, int width) => width == 0 ? line : Screen.Fit(line, width);
}
