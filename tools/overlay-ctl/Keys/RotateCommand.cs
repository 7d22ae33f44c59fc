using System;
using System.CommandLine;
using System.Collections.Generic;
using System.Linq;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl key rotate: a new volume key, while programs go on.</summary>
internal static class RotateCommand
{
    internal static Command Make()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume." };
        Option<int[]> drop = new("--drop-slot") { Description = "A slot that does not get the new key: whoever has its key is locked out. May be given several times.", HelpName = "N" };
        Option<bool> dryRun = new("--dry-run") { Description = "Only say what would be done, and whether anything stands in the way." };
        Option<bool> unattended = KeyCommand.LastUnattended();
        Option<bool> quiet = new("--quiet") { Description = "No progress bar." };
        KeyOptions key = new();
        Command command = new("rotate",
            "Make a new volume key and wrap every file's key under it, in one step, while programs use the volume. No slot's secret is needed but the given one. " +
            "It does not revoke the key of a file: who has a file's own key, or the old volume key and an old copy of the store, reads that file as before; 'overlay-ctl rekey' changes that.")
        {
            volume, drop, dryRun, unattended, quiet,
        };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            using UnlockedVolume unlocked = KeyCommand.Unlock(parsed, volume, key);
            int[] dropped = parsed.GetValue(drop) ?? [];
            using KeyRotation rotation = new(unlocked, dropped);
            rotation.Check();
            CheckLeft(unlocked, dropped, parsed.GetValue(unattended));
            if (parsed.GetValue(dryRun))
            {
                Console.WriteLine($"The keys of {rotation.Total} files would be wrapped under version {rotation.Version} of the volume key. {Slots(unlocked, dropped)}");
                return ExitCodes.Ok;
            }
            return Run(unlocked, rotation, isQuiet: parsed.GetValue(quiet));
        });
        return command;
    }

    private static int Run(UnlockedVolume unlocked, KeyRotation rotation, bool isQuiet)
    {
        bool isClean;
        using (new ProgressBar(!isQuiet, () => (rotation.Done, rotation.Total), "keys"))
            isClean = rotation.Run();
        Console.WriteLine($"Version {rotation.Version} of the volume key is in use; {rotation.Total} files' keys are wrapped under it. {Slots(unlocked, [])}");
        if (!isClean)
            Console.Error.WriteLine("overlay-ctl: old wrapped keys are still in the store's files: another process holds them, or there is no room to rewrite them. 'overlay-ctl store verify --compact' does it later.");
        if (rotation.Damaged == 0)
            return ExitCodes.Ok;
        Console.Error.WriteLine($"overlay-ctl: {rotation.Damaged} keys in the store are damaged and were left as they are; 'overlay-ctl verify' names their files.");
        return ExitCodes.Damaged;
    }

    private static void CheckLeft(UnlockedVolume unlocked, int[] dropped, bool mayLeaveNoneUnattended)
    {
        IReadOnlyList<KeySlotRow> all = unlocked.Store.ReadKeySlots();
        List<KeySlotRow> left = all.Where(slot => !dropped.Contains(slot.Id)).ToList();
        if (left.Count < all.Count && !mayLeaveNoneUnattended && all.Any(KeyCommand.IsUnattended) && !left.Any(KeyCommand.IsUnattended))
        {
            throw new VolumeException(VolumeError.LastUnattendedSlot,
                $"No slot would be left that unlocks {unlocked.Root} without a person (a key file or token): services could not start any more. --last-unattended does it all the same.");
        }
    }

    private static string Slots(UnlockedVolume unlocked, int[] dropped)
    {
        IReadOnlyList<KeySlotRow> all = unlocked.Store.ReadKeySlots();
        string kept = string.Join(", ", all.Where(slot => !dropped.Contains(slot.Id)).Select(slot => $"{slot.Id} ({KeyCommand.Describe(slot)})"));
        return dropped.Length == 0 ? $"Slots: {kept}." : $"Slots: {kept}; without {string.Join(", ", dropped)}.";
    }
}
