using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.CommandLine;
using System.Linq;
using System.Net;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Crypto;
using Overlay.Ctl.Metrics;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>overlay-ctl agent: serves volumes to the programs of this user that have only the preload in their environment.</summary>
internal static class AgentCommand
{
    private const int AddressInUse = 98, AnswerMilliseconds = 2000;
    private static readonly TimeSpan s_idleLimit = TimeSpan.FromSeconds(10), s_startLimit = TimeSpan.FromSeconds(10),
        s_poll = TimeSpan.FromMilliseconds(5);

    internal static Command Make()
    {
        Option<string[]> volumes = new("--volume") { Description = "A volume to serve; may be given several times.", HelpName = "VOLUME" };
        Option<string?> list = new("--volumes") { Description = "Volumes separated by ':'.", Hidden = true };
        Option<bool> autostart = new("--autostart") { Description = "End some seconds after the last client has gone.", Hidden = true };
        Option<int?> ready = new("--ready-fd") { Description = "Write a byte to this descriptor when serving.", HelpName = "N" };
        KeyOptions key = new();
        MetricsOptions metrics = new();
        Command command = new("agent", "Serve volumes to programs started with LD_PRELOAD and OVERLAY_VOLUMES alone.") { volumes, list, autostart, ready };
        key.AddTo(command);
        metrics.AddTo(command);
        command.SetAction(parsed =>
        {
            string[] roots = parsed.GetValue(volumes) is { Length: > 0 } given ? given : (parsed.GetValue(list) ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
            if (roots.Length == 0)
                throw new ControlException(ExitCodes.Usage, "no volume: give --volume.");
            IPEndPoint? metricsAddress = metrics.Read(parsed);
            using KeySecret secret = key.Read(parsed);
            List<AgentHost> agents = roots.Select(root => Start(root, secret)).OfType<AgentHost>().ToList();
            try
            {
                using MetricsServer? server = MetricsOptions.Start(agents.Count > 0 ? metricsAddress : null, agents);
                if (parsed.GetValue(ready) is int descriptor)
                    SayReady(descriptor);
                if (agents.Count > 0)
                    Serve(agents, parsed.GetValue(autostart));
                return ExitCodes.Ok;
            }
            finally
            {
                agents.ForEach(agent => agent.Dispose());
            }
        });
        return command;
    }

    /// <summary>Null: another agent serves this volume already.</summary>
    private static AgentHost? Start(string root, KeySecret secret)
    {
        UnlockedVolume volume = VolumeUnlocker.Unlock(root, secret);
        string address = AgentAddress.ForVolume(volume.VolumeId.Span);
        for (Stopwatch waited = Stopwatch.StartNew(); ; Thread.Sleep(s_poll))
        {
            try
            {
                return new AgentHost([volume], address, rootProcess: 0);
            }
            catch (ErrnoException exception) when (exception.Errno == AddressInUse)
            {
                // It may be about to listen, or to end: who waits for us is told that an agent serves only when one does.
                bool isServed = Answers(address);
                if (!isServed && waited.Elapsed < s_startLimit)
                    continue;
                volume.Dispose();
                return isServed ? null : throw new ControlException(ExitCodes.NoAgent, $"the agent that serves {root} does not answer: end it (who listens at its socket: ss -xlp), and start again.");
            }
        }
    }

    private static bool Answers(string address)
    {
        try
        {
            using AgentClient client = AgentClient.Connect(address, AnswerMilliseconds);
            return true;
        }
        catch (ErrnoException)
        {
            return false; // what it is that fails does not matter: there is none, or none yet
        }
    }

    private static void Serve(List<AgentHost> agents, bool endsWhenIdle)
    {
        using ManualResetEventSlim stop = new();
        List<PosixSignalRegistration> registrations = new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP }
            .Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                stop.Set();
            })).ToList();
        // Not by the time of day: that may be stepped by years, and an idle agent would stay with its keys until then.
        Stopwatch unused = Stopwatch.StartNew();
        while (!stop.Wait(TimeSpan.FromSeconds(1)))
        {
            if (agents.Any(agent => agent.Connections > 0))
                unused.Restart();
            if (endsWhenIdle && unused.Elapsed > s_idleLimit)
                break;
        }
        registrations.ForEach(registration => registration.Dispose());
    }

    private static unsafe void SayReady(int descriptor)
    {
        byte one = 1;
        _ = Posix.Write(descriptor, &one, 1);
        _ = Posix.Close(descriptor);
    }
}
