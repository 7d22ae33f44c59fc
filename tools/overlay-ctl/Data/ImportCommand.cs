using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>overlay-ctl import: seals files that are there, in place or into a volume.</summary>
internal static class ImportCommand
{
    internal static Command Make()
    {
        Argument<string> directory = new("DIR") { Description = "Directory whose files are to be sealed. Without --into it is a volume, or lies in one ('init --non-empty')." };
        Option<string?> into = new("--into") { Description = "Copy them into that volume, or directory of a volume, instead; DIR stays as it is.", HelpName = "VOLUME[/SUBDIR]" };
        Option<bool> noOwner = new("--no-owner") { Description = "With --into: the copies belong to you, not to the owners of the originals." };
        Option<bool> dryRun = new("--dry-run") { Description = "Count only." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Option<bool> quiet = new("--quiet") { Description = "No progress line." };
        KeyOptions key = new();
        Command command = new("import", "Seal plain files, in place or into a volume. Killed and started again, it goes on where it was.")
            { directory, into, noOwner, dryRun, json, quiet };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            string source = Posix.RealPath(parsed.GetValue(directory)!) ?? throw new ControlException(ExitCodes.Usage, $"{parsed.GetValue(directory)} does not exist.");
            if (!Directory.Exists(source))
                throw new ControlException(ExitCodes.Usage, $"{source} is not a directory.");
            if (parsed.GetValue(noOwner) && parsed.GetValue(into) is null)
                throw new ControlException(ExitCodes.Usage, "--no-owner belongs to --into.");
            ImportJob job = parsed.GetValue(into) is string target ? ImportJob.Into(source, target, keepsOwner: !parsed.GetValue(noOwner)) : ImportJob.InPlace(source);
            using KeySecret secret = key.Read(parsed);
            using RawVolume volume = new(VolumeUnlocker.Unlock(job.VolumeRoot, secret));
            Transfer transfer = new();
            if (!parsed.GetValue(dryRun))
                Run(job, volume, transfer, isProgressWanted: !parsed.GetValue(quiet));
            else
                job.Count(volume.Unlocked.VolumeId.ToArray(), transfer);
            if (parsed.GetValue(json))
                TransferReport.PrintJson(transfer, "sealed", parsed.GetValue(dryRun));
            else
                TransferReport.Print(transfer, "sealed", parsed.GetValue(dryRun));
            return TransferReport.ExitCode(transfer);
        });
        return command;
    }

    private static void Run(ImportJob job, RawVolume volume, Transfer transfer, bool isProgressWanted)
    {
        if (!volume.IsShared)
            throw new ControlException(ExitCodes.Volume, "the volume's locks cannot be opened: run as the volume's owner, or as root.");
        if (isProgressWanted && TransferProgress.IsPossible)
        {
            Transfer all = new();
            job.Count(volume.Unlocked.VolumeId.ToArray(), all);
            (transfer.AllFiles, transfer.AllBytes) = (all.Files + all.Done, all.Bytes);
        }
        using TransferProgress progress = new(transfer, isProgressWanted);
        job.Run(volume, transfer);
    }
}
