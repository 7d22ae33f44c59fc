using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Repair;

/// <summary>overlay-ctl repair: frees space, saves what can be read of damaged files. Changes nothing without being told to.</summary>
internal static class RepairCommand
{
    internal static Command Make()
    {
        Argument<string> target = new("TARGET") { Description = "A volume, or a file of one.", HelpName = "VOLUME|FILE" };
        Option<bool> reclaim = new("--reclaim") { Description = "Free space that nothing needs, and put the sizes and marks right that stat relies on." };
        Option<bool> salvage = new("--salvage") { Description = "Save what can be read of damaged files as NAME.salvaged; the damaged file stays as it is." };
        Option<string?> output = new("--output") { Description = "With --salvage: save there. Outside of a volume that is PLAINTEXT.", HelpName = "DIR" };
        Option<bool> replace = new("--replace") { Description = "With --salvage: what was saved takes the file's name; the damaged file becomes NAME.damaged." };
        Option<bool> accept = new("--accept") { Description = "Take files and blocks that were put back, and files of killed writers, for right as they are." };
        Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done (this is so without --reclaim, --salvage and --accept, too)." };
        KeyOptions key = new();
        Command command = new("repair", "Free space in a volume and save the readable blocks of damaged files.") { target, reclaim, salvage, output, replace, accept, dryRun };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            bool isSalvaging = parsed.GetValue(salvage);
            if (!isSalvaging && (parsed.GetValue(replace) || parsed.GetValue(output) is not null))
                throw new ControlException(ExitCodes.Usage, "--output and --replace belong to --salvage.");
            if (parsed.GetValue(replace) && parsed.GetValue(output) is not null)
                throw new ControlException(ExitCodes.Usage, "--replace and --output exclude each other.");
            string path = Path.GetFullPath(parsed.GetValue(target)!);
            string root = RootOf(path) ?? throw new ControlException(ExitCodes.Volume, $"{path} is neither a volume nor in one; 'overlay-ctl init' makes a directory a volume.");
            RepairPlan plan = new()
            {
                Reclaims = parsed.GetValue(reclaim),
                Salvages = isSalvaging,
                Replaces = parsed.GetValue(replace),
                Output = parsed.GetValue(output) is string directory ? CheckOutput(directory, root) : null,
                Accepts = parsed.GetValue(accept),
                IsDryRun = parsed.GetValue(dryRun) || !(parsed.GetValue(reclaim) || isSalvaging || parsed.GetValue(accept)),
            };
            using KeySecret secret = key.Read(parsed);
            using RawVolume volume = new(VolumeUnlocker.Unlock(root, secret));
            using RepairRun run = new(volume, plan);
            return run.Run(path == root ? null : path);
        });
        return command;
    }

    /// <summary>The volume that a path is, or is in.</summary>
    internal static string? RootOf(string path)
    {
        for (string? directory = path; directory is not null; directory = Path.GetDirectoryName(directory))
            if (File.Exists(new VolumePaths(directory).Config))
                return directory;
        return null;
    }

    private static string CheckOutput(string directory, string root)
    {
        // What programs see through a link counts.
        string path = Posix.RealPath(directory) ?? throw new ControlException(ExitCodes.Usage, $"--output {directory}: no such directory.");
        if (RootOf(path) is string other && other != (Posix.RealPath(root) ?? root))
            throw new ControlException(ExitCodes.Usage, $"--output {directory} lies in another volume.");
        if (path.Split('/').Contains(VolumePaths.DirectoryName))
            throw new ControlException(ExitCodes.Usage, $"--output {directory} is a volume's own directory.");
        return path;
    }
}
