using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Ctl.Data;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Rekey;

/// <summary>overlay-ctl rekey: files get new keys, and all of their data is sealed anew, while programs use them.</summary>
internal static class RekeyCommand
{
    private const int Megabyte = 1_000_000;

    internal static Command Make()
    {
        Options options = new();
        Command command = new("rekey",
            "Give files new keys, and seal all of their data anew, while programs go on using them. This is what answers a key of a file that leaked ('key rotate' does not: it wraps the same keys anew) " +
            "and a key that has sealed too often. The old key is destroyed at the end, so that older copies of the file as it lies on disk (backups, snapshots, copies made outside of Overlay) can be read " +
            "with an older copy of the store alone. Killed at any moment, the same command goes on. Programs that were started with an earlier release must be started anew before.");
        options.AddTo(command);
        command.SetAction(parsed => Run(parsed, options));
        return command;
    }

    private static int Run(ParseResult parsed, Options options)
    {
        string[] paths = parsed.GetValue(options.Paths) ?? [];
        if (paths.Length == 0 && parsed.GetValue(options.Volume) is null)
            throw new ControlException(ExitCodes.Usage, "which files? Give PATHs, or --volume.");
        string root = parsed.GetValue(options.Volume) ?? FindVolume(paths[0]);
        if (parsed.GetValue(options.Status))
            return RekeyStatus.Run(root, parsed.GetValue(options.Json));
        string? pattern = parsed.GetValue(options.Where);
        if (paths.Length == 0 && pattern is null)
            throw new ControlException(ExitCodes.Usage, "which files? Give PATHs (the volume itself for all of them), or --where.");
        double rate = parsed.GetValue(options.Rate) is double megabytes ? Check(megabytes) * Megabyte : double.PositiveInfinity;
        using RawVolume volume = new(Unlock(parsed, options, root));
        List<(string Path, string Reason)> leftOut = [];
        string[] starts = paths.Length > 0 ? paths : [root];
        List<RekeyTarget> targets = RekeyTarget.Find(volume.Unlocked, starts, pattern, (path, reason) => leftOut.Add((path, reason)));
        RekeyRun run = new(volume, targets, Name(starts, pattern), rate);
        run.Failed.AddRange(leftOut);
        if (parsed.GetValue(options.DryRun))
            return Describe(run, targets);
        run.Run(parsed.GetValue(options.Anew), parsed.GetValue(options.Quiet));
        if (parsed.GetValue(options.Json))
            run.PrintJson();
        else
            run.Print();
        return run.ExitCode;
    }

    private static UnlockedVolume Unlock(ParseResult parsed, Options options, string root)
    {
        using KeySecret secret = options.Key.Read(parsed);
        return VolumeUnlocker.Unlock(root, secret);
    }

    private static string FindVolume(string path) => File.Exists(new VolumePaths(path).Config) ? path : ShredCommand.FindVolume(path);

    private static double Check(double megabytes) => megabytes > 0 ? megabytes : throw new ControlException(ExitCodes.Usage, "--max-mbps wants a number greater than 0.");

    /// <summary>The same paths, however they are written.</summary>
    private static string Name(string[] starts, string? pattern) => string.Join('\n', starts.Select(path => Posix.RealPath(path) ?? path).Distinct(StringComparer.Ordinal)
        .Order(StringComparer.Ordinal)) + (pattern is null ? "" : $"\n--where {pattern}");

    private static int Describe(RekeyRun run, List<RekeyTarget> targets)
    {
        foreach ((string path, string reason) in run.Failed)
            Console.Error.WriteLine($"{FindingText.Escape(path)}: would be left out: {reason.TrimEnd('.')}.");
        Console.WriteLine($"{targets.Count} files would be rekeyed ({Terminal.Progress.Size(run.Transfer.AllBytes)}), {run.Failed.Count} left out; nothing was changed.");
        return run.Failed.Count > 0 ? ExitCodes.Unchecked : ExitCodes.Ok;
    }

    internal sealed class Options
    {
        internal Argument<string[]> Paths { get; } = new("PATH") { Description = "Files and directories of the volume, with what is in them; the volume itself for all files.", Arity = ArgumentArity.ZeroOrMore };

        internal Option<string?> Volume { get; } = new("--volume") { Description = "The volume (default: the one that the first PATH is, or lies in).", HelpName = "VOLUME" };

        internal Option<string?> Where { get; } = new("--where") { Description = "Only files whose paths in the volume match: * and ? without '/', ** with it.", HelpName = "GLOB" };

        internal Option<double?> Rate { get; } = new("--max-mbps") { Description = "At most so many megabytes (10^6 bytes) of data a second.", HelpName = "N" };

        internal Option<bool> Status { get; } = new("--status") { Description = $"Only say what is under way or unfinished; needs no key. Exit status {ExitCodes.Due} if anything is." };

        internal Option<bool> Anew { get; } = new("--anew") { Description = "Do not go on with an earlier run of this command that was killed: files that it has rekeyed are rekeyed again." };

        internal Option<bool> DryRun { get; } = new("--dry-run") { Description = "Only say what would be done." };

        internal Option<bool> Json { get; } = new("--json") { Description = "Print JSON." };

        internal Option<bool> Quiet { get; } = new("--quiet") { Description = "No progress bar." };

        internal KeyOptions Key { get; } = new();

        internal void AddTo(Command command)
        {
            command.Add(Paths);
            foreach (Option option in new Option[] { Volume, Where, Rate, Status, Anew, DryRun, Json, Quiet })
                command.Add(option);
            Key.AddTo(command);
        }
    }
}
