using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>overlay-ctl key: the ways to unlock a volume (docs/keys.md).</summary>
internal static class KeyCommand
{
    internal static Command Make() => new("key", "List, add, remove and change the keys that unlock a volume.")
    {
        MakeList(), MakeAdd(), MakeRemove(), MakeChange(), RotateCommand.Make(), RecipientCommand.Make(),
    };

    internal static Option<bool> LastUnattended() => new("--last-unattended")
    {
        Description = "Also if no key file or token is left then: without a person nothing starts any more.",
    };

    internal static bool IsUnattended(KeySlotRow slot) => SlotKinds.IsUnattended(slot.Kind);

    private static Argument<string> Volume() => new("VOLUME") { Description = "The volume." };

    private static Option<string?> Label() => new("--label") { Description = "A name for the slot, to be seen in lists.", HelpName = "TEXT" };

    private static Command MakeList()
    {
        Argument<string> volume = Volume();
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("list", "Show the key slots; no key is needed.") { volume, json };
        command.SetAction(parsed =>
        {
            IReadOnlyList<KeySlotRow> slots = VolumeUnlocker.ReadSlots(parsed.GetValue(volume)!);
            if (parsed.GetValue(json))
                PrintJson(slots);
            else
                Print(slots);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command MakeAdd()
    {
        Argument<string> volume = Volume();
        Option<string?> label = Label();
        Option<string?> recipient = new("--recipient") { Description = "Public key (overlay1…) of who shall unlock the volume with the identity file that belongs to it.", HelpName = "KEY" };
        KeyOptions key = new(), added = new("new-");
        Command command = new("add", "Let another key file, passphrase or recipient unlock the volume.") { volume, label, recipient };
        key.AddTo(command);
        added.AddTo(command);
        command.SetAction(parsed =>
        {
            byte[]? publicKey = parsed.GetValue(recipient) is string text ? RecipientCommand.Parse(text) : null;
            using UnlockedVolume unlocked = Unlock(parsed, volume, key);
            KeySlotRow slot = publicKey is not null ? unlocked.AddRecipient(publicKey, parsed.GetValue(label) ?? "")
                : AddSecret(unlocked, added, parsed, parsed.GetValue(label) ?? "");
            Console.WriteLine($"Slot {slot.Id} was added: {Describe(slot)}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static KeySlotRow AddSecret(UnlockedVolume unlocked, KeyOptions added, ParseResult parsed, string label)
    {
        using KeySecret secret = added.Read(parsed, isNew: true);
        return unlocked.AddSlot(secret, label);
    }

    private static Command MakeRemove()
    {
        Argument<string> volume = Volume();
        Argument<int> slot = new("SLOT") { Description = "Its number in 'key list'." };
        Option<bool> dryRun = new("--dry-run") { Description = "Only say what would be removed." };
        Option<bool> unattended = LastUnattended();
        KeyOptions key = new();
        Command command = new("remove",
            "Take a key slot away; the last one stays. Copies of the store that were made before (backups, snapshots) still open with it.") { volume, slot, dryRun, unattended };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            using UnlockedVolume unlocked = Unlock(parsed, volume, key);
            int id = parsed.GetValue(slot);
            IReadOnlyList<KeySlotRow> slots = unlocked.Store.ReadKeySlots();
            KeySlotRow removed = slots.FirstOrDefault(row => row.Id == id)
                ?? throw new VolumeException(VolumeError.NoSuchSlot, $"The volume {unlocked.Root} has no key slot {id}.");
            if (parsed.GetValue(dryRun))
            {
                Console.WriteLine(slots.Count == 1 ? $"Slot {id} would not be removed: it is the last one." : $"Slot {id} would be removed: {Describe(removed)}.");
                return ExitCodes.Ok;
            }
            unlocked.RemoveSlot(id, parsed.GetValue(unattended));
            Console.WriteLine($"Slot {id} was removed: {Describe(removed)}.");
            Forget(unlocked);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command MakeChange()
    {
        Argument<string> volume = Volume();
        Option<int?> slot = new("--slot") { Description = "The slot to change (default: the one that the given key opens).", HelpName = "N" };
        Option<string?> label = Label();
        Option<bool> unattended = LastUnattended();
        Option<bool> dryRun = new("--dry-run") { Description = "Only say which slot would be replaced; no new key is asked for." };
        KeyOptions key = new(), changed = new("new-");
        Command command = new("change", "Put a new key file or passphrase in an old one's place.") { volume, slot, label, dryRun, unattended };
        key.AddTo(command);
        changed.AddTo(command);
        command.SetAction(parsed =>
        {
            using UnlockedVolume unlocked = Unlock(parsed, volume, key);
            int id = parsed.GetValue(slot) ?? unlocked.OpenedSlot;
            KeySlotRow replaced = unlocked.Store.ReadKeySlots().FirstOrDefault(row => row.Id == id)
                ?? throw new VolumeException(VolumeError.NoSuchSlot, $"The volume {unlocked.Root} has no key slot {id}.");
            if (parsed.GetValue(dryRun))
            {
                Console.WriteLine($"Slot {id} would be replaced: {Describe(replaced)}.");
                return ExitCodes.Ok;
            }
            using KeySecret secret = changed.Read(parsed, isNew: true);
            KeySlotRow added = unlocked.ReplaceSlot(id, secret, parsed.GetValue(label) ?? replaced.Label, null, parsed.GetValue(unattended));
            Console.WriteLine($"Slot {id} was replaced by slot {added.Id}: {Describe(added)}.");
            Forget(unlocked);
            return ExitCodes.Ok;
        });
        return command;
    }

    internal static UnlockedVolume Unlock(ParseResult parsed, Argument<string> volume, KeyOptions key)
    {
        using KeySecret secret = key.Read(parsed);
        return VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret);
    }

    private static void Forget(UnlockedVolume unlocked)
    {
        if (!unlocked.TryForgetRemoved())
            Console.Error.WriteLine("overlay-ctl: a running agent holds the store's log: the removed slot's bytes stay in it until that agent's next checkpoint or end.");
    }

    private static string KindOf(KeySlotRow slot) => SlotKinds.Name(slot.Kind);

    private static string CostOf(KeySlotRow slot) => slot.Cost is PassphraseCost cost ? $"Argon2id, {cost.MemoryKiB / 1024} MiB, {cost.Iterations} passes"
        : slot.Kind == SlotKind.Recipient ? RecipientText.Public(slot.PublicKey.Span) : FindingText.Escape(slot.Token);

    internal static string Describe(KeySlotRow slot)
    {
        string cost = CostOf(slot), label = slot.Label.Length > 0 ? $" \"{FindingText.Escape(slot.Label)}\"" : "";
        return cost.Length > 0 ? $"{KindOf(slot)}{label} ({cost})" : KindOf(slot) + label;
    }

    private static void Print(IReadOnlyList<KeySlotRow> slots)
    {
        int widest = Math.Max("label".Length, slots.Max(slot => FindingText.Escape(slot.Label).Length));
        Console.WriteLine($"{"slot",-5} {"kind",-10} {"label".PadRight(widest)} {"created (UTC)",-16} cost");
        foreach (KeySlotRow slot in slots)
        {
            string created = slot.Created.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            Console.WriteLine($"{slot.Id,-5} {KindOf(slot),-10} {FindingText.Escape(slot.Label).PadRight(widest)} {created,-16} {CostOf(slot)}".TrimEnd());
        }
    }

    private static void PrintJson(IReadOnlyList<KeySlotRow> slots) => Json.Print(writer =>
    {
        writer.WriteStartArray("slots");
        foreach (KeySlotRow slot in slots)
        {
            writer.WriteStartObject();
            writer.WriteNumber("slot", slot.Id);
            writer.WriteString("kind", KindOf(slot).Replace(' ', '-'));
            writer.WriteString("label", slot.Label);
            writer.WriteString("created", slot.Created.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
            if (slot.Cost is PassphraseCost cost)
            {
                writer.WriteNumber("memoryKiB", cost.MemoryKiB);
                writer.WriteNumber("iterations", cost.Iterations);
            }
            if (slot.Kind == SlotKind.Recipient)
                writer.WriteString("recipient", RecipientText.Public(slot.PublicKey.Span));
            if (slot.Token.Length > 0)
                writer.WriteString("token", slot.Token);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
