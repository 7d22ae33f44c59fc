using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl store: copies of the key store, without which no file of the volume can be read.</summary>
internal static class StoreCommand
{
    internal static Command Make() => new("store", "Back up, check and restore the store of a volume's keys. A volume whose store is lost is lost.")
    {
        MakeBackup(), StoreVerifyCommand.Make(), StoreRestoreCommand.Make(),
    };

    private static Command MakeBackup()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume." };
        Argument<string> file = new("FILE") { Description = "The copy to make; one that is there is replaced when the new one is complete." };
        Command command = new("backup",
            "Copy the store while programs use the volume; no key is needed, and the copy is as useless without one as the store is. The store remembers where the copy is, so that 'shred' reaches it: " +
            "move it with care.") { volume, file };
        command.SetAction(parsed =>
        {
            string root = parsed.GetValue(volume)!, path = Path.GetFullPath(parsed.GetValue(file)!);
            using MetadataStore store = VolumeUnlocker.OpenStore(root);
            if (path == store.Path || path.StartsWith(new VolumePaths(root).Root + "/", StringComparison.Ordinal))
                throw new ControlException(ExitCodes.Usage, $"{path} lies in the volume: what destroys the store may destroy it, too.");
            if (Directory.Exists(path))
                throw new ControlException(ExitCodes.Usage, $"{path} is a directory: name the file to make.");
            using (ProgressBar.OfTime(isWanted: true, "copying and checking the store"))
                StoreBackup.Make(store, path);
            Console.WriteLine($"The store was copied to {path} ({new FileInfo(path).Length} bytes).");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A few of many.</summary>
    internal static void Print(string what, IReadOnlyCollection<string> paths)
    {
        const int Most = 10;
        if (paths.Count == 0)
            return;
        Console.WriteLine($"{paths.Count} {what}:");
        foreach (string path in paths.Take(Most))
            Console.WriteLine($"  {Verify.FindingText.Escape(path)}");
        if (paths.Count > Most)
            Console.WriteLine($"  … and {paths.Count - Most} more");
    }
}
