using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>overlay-ctl export: plaintext copies of files of a volume.</summary>
internal static class ExportCommand
{
    internal static Command Make()
    {
        Argument<string[]> paths = new("PATHS") { Description = "Files and directories of a volume, or a volume, and behind them the directory, outside of all volumes, where the copies go.", HelpName = "PATH... TARGET", Arity = new ArgumentArity(2, 10_000) };
        Option<bool> noOwner = new("--no-owner") { Description = "The copies belong to you, not to the owners of the originals." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Option<bool> quiet = new("--quiet") { Description = "No progress line." };
        KeyOptions key = new();
        Command command = new("export", "Copy files out of a volume. The copies are PLAINTEXT. Killed and started again, it goes on where it was.") { paths, noOwner, json, quiet };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            string[] given = parsed.GetValue(paths)!;
            List<(string Root, byte[] Path)> sources = [.. given[..^1].Select(VolumeTree.Locate)];
            if (sources.Exists(source => source.Root != sources[0].Root))
                throw new ControlException(ExitCodes.Usage, "the files lie in different volumes: export one after the other.");
            string target = MakeTarget(given[^1]);
            using KeySecret secret = key.Read(parsed);
            using RawVolume volume = new(VolumeUnlocker.Unlock(sources[0].Root, secret));
            Transfer transfer = new();
            Run(volume, [.. sources.Select(source => source.Path)], target, transfer, !parsed.GetValue(noOwner), !parsed.GetValue(quiet));
            if (parsed.GetValue(json))
                TransferReport.PrintJson(transfer, "exported", isDryRun: false);
            else
                TransferReport.Print(transfer, "exported", isDryRun: false);
            return TransferReport.ExitCode(transfer);
        });
        return command;
    }

    private static string MakeTarget(string target)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        string parent = Posix.RealPath(Path.GetDirectoryName(full) ?? full) ?? throw new ControlException(ExitCodes.Usage, $"{Path.GetDirectoryName(full)} does not exist.");
        string real = Posix.RealPath(full) ?? Path.Combine(parent, Path.GetFileName(full));
        if (Repair.RepairCommand.RootOf(real) is string root)
            throw new ControlException(ExitCodes.Usage, $"{target} lies in the volume {root}, where no plaintext belongs.");
        if (!Directory.Exists(real))
            Directory.CreateDirectory(real, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return real;
    }

    private static void Run(RawVolume volume, List<byte[]> paths, string target, Transfer transfer, bool keepsOwner, bool isProgressWanted)
    {
        using Tree from = new(volume.Unlocked.Root), to = new(target);
        if (isProgressWanted && TransferProgress.IsPossible)
            foreach (TreeEntry entry in paths.SelectMany(path => VolumeTree.Walk(from, (_, _) => { }).From(path)).Where(entry => entry.Status.IsRegular))
                (transfer.AllFiles, transfer.AllBytes) = (transfer.AllFiles + 1, transfer.AllBytes + entry.Status.Size);
        using TransferProgress progress = new(transfer, isProgressWanted);
        using Staging staging = Staging.OfTarget(target);
        staging.RemoveLeftovers([]);
        using ExportCopy copy = new(volume, from, to, staging, transfer, keepsOwner);
        foreach (byte[] path in paths)
        {
            byte[] name = path.Length > 0 ? TreePath.Name(path) : TreePath.FromText(Path.GetFileName(volume.Unlocked.Root));
            copy.Run(VolumeTree.Walk(from, transfer.LeaveOut).From(path), below => below.Length == path.Length ? name : TreePath.Join(name, Below(below, path)));
        }
        staging.RemoveDirectory();
    }

    private static byte[] Below(byte[] path, byte[] directory) => directory.Length == 0 ? path : path[(directory.Length + 1)..];
}
