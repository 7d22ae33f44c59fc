using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Policies;

/// <summary>overlay-ctl policy show: a policy as it was set, or the list of all that were.</summary>
internal static class ShowCommand
{
    internal static Command Make()
    {
        Argument<string> volume = PolicyCommand.Volume();
        Option<long?> version = new("--version") { Description = "This version instead of the newest.", HelpName = "N" };
        Option<bool> all = new("--all") { Description = "List all versions, without their texts." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("show", "Show the policy, such that 'policy set' takes it again. Its signature is checked with the store's own public key; no key is needed.") { volume, version, all, json };
        command.SetAction(parsed =>
        {
            using MetadataStore store = VolumeUnlocker.OpenStore(parsed.GetValue(volume)!);
            IReadOnlyList<StoredPolicy> shown = PolicyStore.ReadAll(store);
            bool isList = parsed.GetValue(all);
            if (!isList)
                shown = [.. shown.Where(policy => policy.Version == (parsed.GetValue(version) ?? shown[^1].Version))];
            if (parsed.GetValue(version) is long wanted && shown.Count == 0)
                throw new ControlException(ExitCodes.Failed, $"there is no version {wanted} of the policy.");
            if (parsed.GetValue(json))
                PrintJson(store, shown, isList);
            else
                Print(store, shown, isList);
            return shown.All(policy => IsSigned(store, policy)) ? ExitCodes.Ok : ExitCodes.Damaged;
        });
        return command;
    }

    private static bool IsSigned(MetadataStore store, StoredPolicy policy) =>
        PolicyStore.ReadPublicKey(store) is byte[] key && PolicyStore.IsSigned(policy, store.Volume.Id.Span, key);

    private static void Print(MetadataStore store, IReadOnlyList<StoredPolicy> shown, bool isList)
    {
        if (shown.Count == 0)
            Console.WriteLine("# There is no policy: every program may have every file.");
        foreach (StoredPolicy policy in shown)
        {
            Console.WriteLine($"# version {policy.Version}, set {Time(policy)} by {OneLine(policy.Author)}, signature {(IsSigned(store, policy) ? "good" : "WRONG: this text is not what was set")}");
            if (!isList)
                Console.Write(policy.Text.EndsWith('\n') ? policy.Text : policy.Text + "\n");
        }
    }

    private static void PrintJson(MetadataStore store, IReadOnlyList<StoredPolicy> shown, bool isList) => Json.Print(writer =>
    {
        writer.WriteStartArray("versions");
        foreach (StoredPolicy policy in shown)
            WriteJson(writer, policy, IsSigned(store, policy), isList);
        writer.WriteEndArray();
    });

    private static void WriteJson(Utf8JsonWriter writer, StoredPolicy policy, bool isSigned, bool isList)
    {
        writer.WriteStartObject();
        writer.WriteNumber("version", policy.Version);
        writer.WriteString("set", Time(policy));
        writer.WriteString("by", policy.Author);
        writer.WriteBoolean("isSigned", isSigned);
        writer.WriteString("signature", Convert.ToHexStringLower(policy.Signature.Span));
        if (!isList)
            writer.WriteString("text", policy.Text);
        writer.WriteEndObject();
    }

    /// <summary>What stands in the store may be anybody's: no line of it becomes a rule of what is shown.</summary>
    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));

    private static string Time(StoredPolicy policy) => policy.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
