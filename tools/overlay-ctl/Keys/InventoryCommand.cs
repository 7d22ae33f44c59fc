using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using Overlay.Crypto;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl keys: what keys there are, how old they are, how often they were used, and which of them are due.</summary>
internal static class InventoryCommand
{
    internal static Command Make() => new("keys", "Show the keys of a volume by kind, state, age and use; no key is needed.") { MakeInventory(), DueCommand.Make() };

    private static Command MakeInventory()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("inventory", "Count the keys: states, ages, ciphers, and how often they have sealed, as far as programs told.") { volume, json };
        command.SetAction(parsed =>
        {
            using MetadataStore store = VolumeUnlocker.OpenStore(parsed.GetValue(volume)!);
            if (parsed.GetValue(json))
                PrintJson(store);
            else
                Print(store);
            return ExitCodes.Ok;
        });
        return command;
    }

    internal static string StateOf(FileState state) => state switch { FileState.Pool => "in stock", FileState.Handed => "handed out", _ => "in use" };

    internal static string StateOf(KeyVersionState state) => state switch { KeyVersionState.Current => "active", KeyVersionState.Retired => "retired", _ => "destroyed" };

    private static void Print(MetadataStore store)
    {
        foreach (KeyVersionRow version in store.ReadKeyVersions())
            Console.WriteLine($"volume key   version {version.Version}, {StateOf(version.State)}, made {Age.Date(version.Created)} ({Age.Days(version.Created)})");
        foreach (KeySlotRow slot in store.ReadKeySlots())
            Console.WriteLine($"slot {slot.Id,-7} {KeyCommand.Describe(slot)}, made {Age.Date(slot.Created)} ({Age.Days(slot.Created)})");
        foreach (StoreInventory.Group group in Groups(store))
        {
            double share = 100.0 * group.MostSeals / SealLimit.Of(group.Suite);
            Console.WriteLine($"file keys    {group.Count}, {StateOf(group.State)}, {group.Suite.Name()}, wrapped under version {group.KeyVersion}, made {Age.Date(group.Oldest)} to {Age.Date(group.Newest)}; " +
                $"sealed {group.Seals} times, one of them {group.MostSeals} ({share.ToString("0.######", CultureInfo.InvariantCulture)} % of the limit)");
        }
        Console.WriteLine($"destroyed    {StoreInventory.CountShredded(store.Connection)} file keys ('shred')");
    }

    private static void PrintJson(MetadataStore store) => Json.Print(writer =>
    {
        writer.WriteString("volumeId", Convert.ToHexStringLower(store.Volume.Id.Span));
        writer.WriteStartArray("volumeKeys");
        foreach (KeyVersionRow version in store.ReadKeyVersions())
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", version.Version);
            writer.WriteString("state", StateOf(version.State));
            writer.WriteString("created", Age.Exact(version.Created));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("slots");
        foreach (KeySlotRow slot in store.ReadKeySlots())
        {
            writer.WriteStartObject();
            writer.WriteNumber("slot", slot.Id);
            writer.WriteString("kind", SlotKinds.Name(slot.Kind).Replace(' ', '-'));
            writer.WriteString("created", Age.Exact(slot.Created));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        WriteGroups(writer, Groups(store));
        writer.WriteNumber("destroyedFileKeys", StoreInventory.CountShredded(store.Connection));
    });

    private static List<StoreInventory.Group> Groups(MetadataStore store)
    {
        using (ProgressBar.OfTime(isWanted: true, "counting keys"))
            return StoreInventory.ReadGroups(store.Connection);
    }

    private static void WriteGroups(Utf8JsonWriter writer, List<StoreInventory.Group> groups)
    {
        writer.WriteStartArray("fileKeys");
        foreach (StoreInventory.Group group in groups)
        {
            writer.WriteStartObject();
            writer.WriteNumber("count", group.Count);
            writer.WriteString("state", StateOf(group.State).Replace(' ', '-'));
            writer.WriteString("cipher", group.Suite.Name());
            writer.WriteNumber("volumeKeyVersion", group.KeyVersion);
            writer.WriteString("oldest", Age.Exact(group.Oldest));
            writer.WriteString("newest", Age.Exact(group.Newest));
            writer.WriteNumber("seals", group.Seals);
            writer.WriteNumber("mostSeals", group.MostSeals);
            writer.WriteNumber("sealLimit", SealLimit.Of(group.Suite));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
