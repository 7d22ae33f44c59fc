using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Protocol;

namespace Overlay.Ctl.Status;

/// <summary>One screen: the agent, how much went through since the last one, and the processes, as many as there is room for.</summary>
internal sealed class TopScreen
{
    private readonly Stopwatch _sinceLast = new();
    private CounterValues _last;

    internal void Draw(AgentStatus status, ProcessList list)
    {
        int width = Screen.Width(Screen.Output), height = Screen.Height(Screen.Output);
        List<string> lines = [.. Head(status, list), ""];
        lines.AddRange(ProcessTable.Lines(list.Processes, 0));
        StringBuilder text = new("\u001b[H");
        // Line by line over what was there, so that nothing flickers; the last one without an end, which would scroll.
        List<string> shown = [.. lines.Take(height)];
        for (int i = 0; i < shown.Count; i++)
        {
            string line = Screen.Fit(shown[i], width);
            bool isTableHead = shown[i] == ProcessTable.Head;
            text.Append(isTableHead ? Screen.Bold(line, Screen.Output) : line).Append("\u001b[K").Append(i < shown.Count - 1 ? "\r\n" : "");
        }
        Console.Out.Write(text.Append("\u001b[J"));
        Console.Out.Flush();
    }

    private List<string> Head(AgentStatus status, ProcessList list)
    {
        CounterValues now = list.Ended;
        foreach (ProcessStatus process in list.Processes)
            now.Add(process.Counters);
        double seconds = _sinceLast.Elapsed.TotalSeconds;
        string rates = _sinceLast.IsRunning && seconds > 0
            ? $"reading {Rate(_last.ReadBytes, now.ReadBytes, seconds)}, writing {Rate(_last.WrittenBytes, now.WrittenBytes, seconds)}"
            : "reading and writing: …";
        (_last, string hits) = (now, ProcessTable.HitShare(now) is double share ? string.Create(CultureInfo.InvariantCulture, $", {share * 100:0} % from memory") : "");
        _sinceLast.Restart();
        int counted = list.Processes.Count(process => process.IsCounted);
        return
        [
            $"overlay agent {status.ProcessId}, up {status.Uptime:d\\.hh\\:mm\\:ss}: {counted} processes, {now.OpenFiles} files open, {status.KeysFound + status.KeysHandedOut} keys given",
            $"{rates}{hits}; {now.NotAuthentic} tags did not match, {now.Damaged} refused as damaged. q: quit",
        ];
    }

    private static string Rate(ulong before, ulong after, double seconds) => $"{Progress.Size(after > before ? (long)((after - before) / seconds) : 0)}/s";
}
