using System;
using System.CommandLine;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Protocol;

namespace Overlay.Ctl.Status;

/// <summary>overlay-ctl top: status, again and again, on a terminal.</summary>
internal static class TopCommand
{
    private const double Shortest = 0.1, Longest = 3600;

    internal static Command Make()
    {
        Argument<string?> volume = AgentQuestion.Volume();
        Option<double> interval = new("--interval") { Description = "How often it is drawn anew.", HelpName = "SECONDS", DefaultValueFactory = _ => 1 };
        Option<bool> once = new("--once") { Description = "Print it once and end, as without a terminal." };
        Command command = new("top", "Watch the processes that an agent serves: what each has open, reads and writes. 'q' ends it.") { volume, interval, once };
        command.SetAction(parsed =>
        {
            double seconds = parsed.GetValue(interval);
            if (!(seconds is >= Shortest and <= Longest))
                throw new ControlException(ExitCodes.Usage, $"--interval: from {Shortest} to {Longest} seconds.");
            string? root = parsed.GetValue(volume);
            (AgentStatus status, ProcessList processes) = AgentQuestion.Ask(root);
            if (parsed.GetValue(once) || !Screen.CanDraw(Screen.Output) || TerminalCalls.IsTerminal(Screen.Input) != 1)
                StatusCommand.Print(status, processes, Screen.CanDraw(Screen.Output) ? Screen.Width(Screen.Output) : 0);
            else
                Watch(root, TimeSpan.FromSeconds(seconds));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>On the terminal's other screen: what was on this one comes back.</summary>
    private static void Watch(string? root, TimeSpan interval)
    {
        TopScreen screen = new();
        using TerminalMode mode = new(Screen.Input, TerminalCalls.Echo | TerminalCalls.Canonical, 0,
            isOurs => Console.Out.Write(isOurs ? "\u001b[?1049h\u001b[?25l" : "\u001b[?25h\u001b[?1049l"));
        do
        {
            (AgentStatus status, ProcessList processes) = AgentQuestion.Ask(root);
            screen.Draw(status, processes);
        }
        while (!IsEndAskedFor(interval));
    }

    /// <summary>Waits for a key, or for the time to be over.</summary>
    private static unsafe bool IsEndAskedFor(TimeSpan interval)
    {
        TerminalCalls.PollEntry entry = new() { Descriptor = Screen.Input, Wanted = TerminalCalls.Readable };
        if (TerminalCalls.Poll(&entry, 1, (int)interval.TotalMilliseconds) <= 0)
            return false; // or a signal: the window may have another size
        byte key;
        nint count = TerminalCalls.Read(Screen.Input, &key, 1);
        return count == 0 || (count == 1 && key is (byte)'q' or (byte)'Q' or 4);
    }
}
