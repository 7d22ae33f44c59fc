using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Net;
using Overlay.Ctl.Metrics;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>overlay-ctl run: launcher, agent and init in one.</summary>
internal static class RunCommand
{
    internal static Command Make()
    {
        Options options = new();
        Command command = new("run", "Run a program that sees the plain files of a volume.");
        options.AddTo(command);
        command.SetAction(parsed => Run(parsed, options, new Dictionary<string, string>()));
        return command;
    }

    /// <param name="more">Variables that the program gets in addition.</param>
    internal static int Run(ParseResult parsed, Options options, Dictionary<string, string> more)
    {
        IPEndPoint? metricsAddress = options.Metrics.Read(parsed);
        List<UnlockedVolume> volumes = Unlock(parsed, options);
        string roots = string.Join(':', volumes.Select(volume => RealPath(volume.Root)));
        using AgentHost agent = new(volumes, AgentAddress.ForRun(Environment.ProcessId), Environment.ProcessId);
        using MetricsServer? server = MetricsOptions.Start(metricsAddress, [agent]);
        string? preload = Environment.GetEnvironmentVariable("LD_PRELOAD");
        more["LD_PRELOAD"] = string.IsNullOrEmpty(preload) ? Layout.Shim : $"{Layout.Shim}:{preload}";
        more["OVERLAY_VOLUMES"] = roots;
        more["OVERLAY_AGENT"] = agent.SocketPath;
        more["OVERLAY_ENGINE"] = Layout.Engine;
        if (parsed.GetValue(options.AllowStatic))
            more["OVERLAY_ALLOW_STATIC"] = "1";
        if (parsed.GetValue(options.Strict))
            more["OVERLAY_STRICT"] = "1";
        return Launcher.Run(parsed.GetValue(options.Command)!, more, parsed.GetValue(options.Wait));
    }

    private static List<UnlockedVolume> Unlock(ParseResult parsed, Options options)
    {
        using KeySecret secret = options.Key.Read(parsed);
        List<UnlockedVolume> volumes = [];
        try
        {
            foreach (string root in parsed.GetValue(options.Volumes)!)
                volumes.Add(VolumeUnlocker.Unlock(RealPath(root), secret));
            return volumes;
        }
        catch
        {
            volumes.ForEach(volume => volume.Dispose());
            throw;
        }
    }

    private static string RealPath(string path) => Posix.RealPath(path)
        ?? throw new ControlException(ExitCodes.Volume, $"{path} does not exist: name a volume, or make one with 'overlay-ctl init'.");

    /// <summary>What run and trace have in common.</summary>
    internal sealed class Options
    {
        internal Option<string[]> Volumes { get; } = new("--volume")
        {
            Description = "A volume that the program sees; may be given several times.", HelpName = "VOLUME", Required = true, Arity = ArgumentArity.OneOrMore,
        };

        internal KeyOptions Key { get; } = new();

        internal MetricsOptions Metrics { get; } = new();

        internal Option<bool> Wait { get; } = new("--wait") { Description = "Serve until the last descendant of COMMAND has ended, not just COMMAND." };

        internal Option<bool> AllowStatic { get; } = new("--allow-static") { Description = "Let static, 32-bit and set-user-id programs run; they see ciphertext." };

        internal Option<bool> Strict { get; } = new("--strict") { Description = "Trap every system call that does not come from libc, also of code made or loaded later." };

        internal Argument<string[]> Command { get; } = new("COMMAND") { Description = "Program and arguments, behind '--'.", Arity = ArgumentArity.OneOrMore };

        internal void AddTo(Command command)
        {
            command.Add(Volumes);
            Key.AddTo(command);
            command.Add(Wait);
            command.Add(AllowStatic);
            command.Add(Strict);
            Metrics.AddTo(command);
            command.Add(Command);
        }
    }
}
