using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;

namespace Overlay.Ctl;

/// <summary>Starts a program under the shim, and is its init: forwards signals, reaps orphans, ends as it ended (design D16).</summary>
internal static class Launcher
{
    private static readonly int[] s_forwarded =
        [Posix.SIGHUP, Posix.SIGINT, Posix.SIGQUIT, Posix.SIGUSR1, Posix.SIGUSR2, Posix.SIGTERM, Posix.SIGCONT, Posix.SIGTSTP, Posix.SIGWINCH];

    /// <summary>What a terminal sends to the whole foreground group: the program has it already.</summary>
    private static readonly int[] s_fromTerminal = [Posix.SIGINT, Posix.SIGQUIT, Posix.SIGTSTP, Posix.SIGWINCH, Posix.SIGHUP];

    /// <param name="settings">Variables that the program gets beside our own environment.</param>
    /// <param name="waitsForAll">Return only when the last descendant has ended.</param>
    internal static int Run(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> settings, bool waitsForAll)
    {
        Posix.BecomeSubreaper();
        // It becomes the command: one that lies in a volume cannot be executed from here, outside of the shim.
        int error = Posix.Spawn(Layout.Exec, [Layout.Exec, .. command], Environment(settings), out int child);
        if (error != 0)
            throw new ControlException(ExitCodes.Failed, $"{Layout.Exec} cannot be executed (errno {error}).");
        List<PosixSignalRegistration> registrations = s_forwarded.Select(number => Forward(number, child)).ToList();
        int exitCode = Reap(child, waitsForAll);
        registrations.ForEach(registration => registration.Dispose());
        return exitCode;
    }

    private static PosixSignalRegistration Forward(int number, int child) => PosixSignalRegistration.Create((PosixSignal)number, context =>
    {
        context.Cancel = true;
        bool isShared = s_fromTerminal.Contains(number) && Posix.ForegroundGroup(0) == Posix.OwnGroup();
        if (!isShared)
            _ = Posix.Kill(child, number);
    });

    private static int Reap(int child, bool waitsForAll)
    {
        int exitCode = ExitCodes.Failed;
        bool hasEnded = false;
        for (; ; )
        {
            int process = Posix.WaitAny(out int status);
            if (process == -Posix.EINTR)
                continue;
            if (process < 0)
                return exitCode;
            if (process == child)
            {
                int signal = status & 0x7F;
                exitCode = signal == 0 ? status >> 8 & 0xFF : ExitCodes.Signal + signal;
                hasEnded = true;
            }
            if (hasEnded && !waitsForAll)
                return exitCode;
        }
    }

    private static List<string> Environment(IReadOnlyDictionary<string, string> settings)
    {
        List<string> entries = [];
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
            if (!settings.ContainsKey((string)entry.Key))
                entries.Add($"{entry.Key}={entry.Value}");
        entries.AddRange(settings.Select(setting => $"{setting.Key}={setting.Value}"));
        return entries;
    }
}
