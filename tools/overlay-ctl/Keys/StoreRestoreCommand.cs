using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl store restore: a copy in the store's place.</summary>
internal static class StoreRestoreCommand
{
    internal static Command Make()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume; nothing may use it meanwhile." };
        Argument<string> file = new("FILE") { Description = "A copy that 'store backup' made." };
        Option<bool> accept = new("--accept-rollback") { Description = "Also if something is lost by it: keys of newer files, what is known of files' states, removed slots that come back." };
        Option<bool> dryRun = new("--dry-run") { Description = "Only say what would be lost." };
        Command command = new("restore",
            "Put a copy in the store's place. What the copy does not know is lost: files that were made since cannot be read any more. Keys that were shredded stay destroyed, as far as the store that is replaced tells.")
        {
            volume, file, accept, dryRun,
        };
        command.SetAction(parsed =>
        {
            string root = parsed.GetValue(volume)!, path = Path.GetFullPath(parsed.GetValue(file)!);
            if (!File.Exists(path))
                throw new ControlException(ExitCodes.Failed, $"{path} does not exist.");
            VolumePaths paths = new(root);
            VolumeConfig config = VolumeConfig.Load(root);
            string storePath = paths.Store(config);
            CheckUnused(storePath);
            using StoreRestore restore = StoreRestore.Begin(path, storePath, config.VolumeId);
            List<string> unreadable = [];
            StoreComparison comparison;
            using (ProgressBar.OfTime(isWanted: true, "comparing the copy with the store and the files"))
                comparison = Compare(restore, SealedHeaders.Read(root, config.VolumeId, unreadable));
            Print(comparison, unreadable);
            bool isDoubtful = comparison.WouldRollBack || unreadable.Count > 0;
            if (parsed.GetValue(dryRun))
                return ExitCodes.Ok;
            if (isDoubtful && !parsed.GetValue(accept))
                throw new VolumeException(VolumeError.WouldRollBack, "the store was left as it is. If what is said above is meant, say --accept-rollback.");
            using (ProgressBar.OfTime(isWanted: true, "putting the copy in the store's place"))
                restore.Run(comparison);
            Console.WriteLine($"The store of {root} is now the one of {path}. Look at the volume with 'overlay-ctl verify'.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static StoreComparison Compare(StoreRestore restore, List<SealedHeader> headers)
    {
        using StoreCopy copy = restore.OpenCopy();
        return StoreComparison.Make(copy.Store, restore.Current, headers);
    }

    private static void Print(StoreComparison comparison, List<string> unreadable)
    {
        StoreCommand.Print("files have no key in the copy and could not be read any more", comparison.FilesWithoutKey);
        StoreCommand.Print("files were rekeyed since: the copy does not have the keys that they have now, and they could not be read any more", comparison.FilesRekeyed);
        StoreCommand.Print("files have come further than the copy knows: older states of them in their place would not be noticed", comparison.FilesAhead);
        StoreCommand.Print("files could not be looked at", unreadable);
        if (comparison.MissingKeys > 0)
            Console.WriteLine($"{comparison.MissingKeys} keys of the store are not in the copy; those of deleted files, or of files that are elsewhere, are among them");
        if (comparison.KeyVersionInCopy < comparison.KeyVersionNow)
            Console.WriteLine($"the volume key would be version {comparison.KeyVersionInCopy} again, not {comparison.KeyVersionNow}: whatever 'key rotate' was for is undone");
        StoreCommand.Print("key slots that were removed, or changed, would open the volume again", comparison.RevivedSlots.Select(slot => $"slot {slot.Id} of the copy: {KeyCommand.Describe(slot)}").ToList());
        if (comparison.Shredded.Count > 0)
            Console.WriteLine($"{comparison.Shredded.Count} keys were shredded since; they are destroyed in the copy, too");
    }

    /// <summary>SQLite tells who has a store open that is there; of one that was deleted only /proc does.</summary>
    private static void CheckUnused(string storePath)
    {
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(process)[0]) || Path.GetFileName(process) == Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture))
                continue;
            if (HasOpen(process, storePath))
                throw new VolumeException(VolumeError.Busy, $"The store {storePath} is in use by process {Path.GetFileName(process)}: end the programs and agents of the volume first.");
        }
    }

    private static bool HasOpen(string process, string storePath)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(process + "/fd").Select(entry => new FileInfo(entry).LinkTarget)
                .Any(target => target == storePath || target == storePath + " (deleted)");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended, or is another user's
        }
    }
}
