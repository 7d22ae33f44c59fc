using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Audit;

/// <summary>Records every command that unlocks a volume whose log is on: before it does anything, and how it ended.</summary>
internal sealed class AdminTrail : IDisposable
{
    /// <summary>Their arguments are another program's, and may be secrets.</summary>
    private static readonly string[] s_withoutArguments = ["run", "trace", "doctor"];

    private readonly List<AuditLog> _logs = [];
    private readonly string _command;

    internal AdminTrail(ParseResult parsed)
    {
        _command = Describe(parsed);
        VolumeUnlocker.Unlocked = Begin;
    }

    internal static AuditSubject Self => new(Posix.EffectiveUserId(), Posix.EffectiveGroupId(), Environment.ProcessId, AgentAudit.ExecutableOf(Environment.ProcessId));

    internal void End(int exitCode)
    {
        foreach (AuditLog log in _logs)
        {
            try
            {
                if (log.IsOn)
                    Record(log, $"ended with status {exitCode.ToString(CultureInfo.InvariantCulture)}");
            }
            catch (Exception exception) when (exception is VolumeException or ErrnoException or IOException)
            {
                Console.Error.WriteLine($"overlay-ctl: how this command ended could not be recorded: {exception.Message}");
            }
        }
    }

    public void Dispose() => _logs.ForEach(log => log.Dispose());

    private void Begin(UnlockedVolume volume)
    {
        // A connection of its own: the command uses the volume's on other threads, and closes it before it ends.
        AuditLog? log = AuditLog.TryOpen(volume, hasOwnConnection: true);
        if (log is null)
            return;
        _logs.Add(log);
        // What damaged the log must be possible to be looked at, and stepped over.
        if (log.IsOn && !_command.StartsWith("audit", StringComparison.Ordinal))
            Record(log, "begun");
        log.Release();
    }

    private void Record(AuditLog log, string result)
    {
        log.Add(new AuditEvent(AuditKinds.Administration, Self, result) { Detail = _command });
        log.Flush();
    }

    private static string Describe(ParseResult parsed)
    {
        List<string> names = [];
        for (SymbolResult? at = parsed.CommandResult; at is not null; at = at.Parent)
            if (at is CommandResult { Command: not RootCommand } command)
                names.Insert(0, command.Command.Name);
        string verb = string.Join(' ', names);
        if (s_withoutArguments.Contains(verb))
            return verb;
        return string.Join(' ', parsed.Tokens.Select(token => token.Value));
    }
}
