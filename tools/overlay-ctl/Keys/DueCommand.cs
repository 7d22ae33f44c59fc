using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl keys due: what a rule of ages, or the limit of uses, says is to be replaced.</summary>
internal static class DueCommand
{
    private const int DefaultMost = 100;

    internal static Command Make()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume." };
        Option<string> older = new("--older-than") { Description = "An age: a number and h, d, w or y.", HelpName = "AGE", DefaultValueFactory = _ => "365d" };
        Option<int> most = new("--limit") { Description = "How many file keys are listed; all are counted.", HelpName = "N", DefaultValueFactory = _ => DefaultMost };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("due",
            $"List the keys that are older, and file keys that have sealed half as often as one may with AES-GCM (2^32 times). Exit status {ExitCodes.Due} if there are any. " +
            "A volume key is replaced by 'key rotate', a slot by 'key change', a file's key by 'rekey'.") { volume, older, most, json };
        command.SetAction(parsed =>
        {
            DateTimeOffset before = DateTimeOffset.UtcNow - Age.Parse(parsed.GetValue(older)!);
            using MetadataStore store = VolumeUnlocker.OpenStore(parsed.GetValue(volume)!);
            List<KeyVersionRow> versions = store.ReadKeyVersions().Where(version => version.State == KeyVersionState.Current && version.Created < before).ToList();
            List<KeySlotRow> slots = store.ReadKeySlots().Where(slot => slot.Created < before).ToList();
            long count;
            using (ProgressBar.OfTime(isWanted: true, "counting keys"))
                count = StoreInventory.CountDue(store.Connection, before, SealLimit.GcmDue);
            List<DueKey> keys = StoreInventory.ReadDue(store.Connection, before, SealLimit.GcmDue, Math.Max(0, parsed.GetValue(most)));
            if (parsed.GetValue(json))
                PrintJson(versions, slots, keys, count);
            else
                Print(versions, slots, keys, count);
            return versions.Count + slots.Count + count > 0 ? ExitCodes.Due : ExitCodes.Ok;
        });
        return command;
    }

    private static void Print(List<KeyVersionRow> versions, List<KeySlotRow> slots, List<DueKey> keys, long count)
    {
        versions.ForEach(version => Console.WriteLine($"volume key version {version.Version}: made {Age.Date(version.Created)} ({Age.Days(version.Created)})"));
        slots.ForEach(slot => Console.WriteLine($"slot {slot.Id}: {KeyCommand.Describe(slot)}, made {Age.Date(slot.Created)} ({Age.Days(slot.Created)})"));
        foreach (DueKey key in keys)
            Console.WriteLine($"file key {Convert.ToHexStringLower(key.FileId)}: {FindingText.Escape(key.Path)}, made {Age.Date(key.Created)} ({Age.Days(key.Created)}), sealed {key.Seals} times");
        if (count > keys.Count)
            Console.WriteLine($"… and {count - keys.Count} more file keys");
        Console.WriteLine($"{versions.Count + slots.Count + count} keys are due");
    }

    private static void PrintJson(List<KeyVersionRow> versions, List<KeySlotRow> slots, List<DueKey> keys, long count) => Json.Print(writer =>
    {
        writer.WriteStartArray("volumeKeys");
        versions.ForEach(version => writer.WriteNumberValue(version.Version));
        writer.WriteEndArray();
        writer.WriteStartArray("slots");
        slots.ForEach(slot => writer.WriteNumberValue(slot.Id));
        writer.WriteEndArray();
        writer.WriteNumber("fileKeysDue", count);
        writer.WriteStartArray("fileKeys");
        foreach (DueKey key in keys)
        {
            writer.WriteStartObject();
            writer.WriteString("fileId", Convert.ToHexStringLower(key.FileId));
            writer.WriteString("path", key.Path);
            writer.WriteString("cipher", key.Suite.Name());
            writer.WriteString("created", Age.Exact(key.Created));
            writer.WriteNumber("seals", key.Seals);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
