using System;
using System.Collections.Generic;
using System.Text.Json;
using Overlay.Ctl.Terminal;

namespace Overlay.Ctl.Data;

/// <summary>What an import or export did, for people and for programs.</summary>
internal static class TransferReport
{
    internal static int ExitCode(Transfer transfer) =>
        transfer.IsFull ? ExitCodes.Failed : transfer.LeftOut.Count > 0 ? ExitCodes.Unchecked : ExitCodes.Ok;

    /// <param name="verb">"sealed" or "exported".</param>
    internal static void Print(Transfer transfer, string verb, bool isDryRun)
    {
        foreach ((byte[] path, string reason) in transfer.LeftOut)
            Console.Error.WriteLine($"{TreePath.Show(path)}: left out: {reason}.");
        foreach ((byte[] path, string text) in transfer.Notes)
            Console.Error.WriteLine($"{TreePath.Show(path)}: note: {text}.");
        if (transfer.IsFull)
            Console.Error.WriteLine("overlay-ctl: the disk is full. What was done stays done: make room, then start the same command again.");
        Console.WriteLine($"{transfer.Files} files {(isDryRun ? "would be " : "")}{verb} ({Progress.Size(transfer.Bytes)}), {transfer.Done} there already, " +
            $"{transfer.HardLinks} hard links, {transfer.Others} others, {transfer.Directories} directories, {transfer.LeftOut.Count} left out");
    }

    internal static void PrintJson(Transfer transfer, string verb, bool isDryRun) => Json.Print(writer =>
    {
        writer.WriteString("result", ExitCode(transfer) switch { ExitCodes.Ok => "complete", ExitCodes.Failed => "full", _ => "incomplete" });
        writer.WriteBoolean("dryRun", isDryRun);
        writer.WriteNumber(verb, transfer.Files);
        writer.WriteNumber("bytes", transfer.Bytes);
        writer.WriteNumber("there", transfer.Done);
        writer.WriteNumber("hardLinks", transfer.HardLinks);
        writer.WriteNumber("others", transfer.Others);
        writer.WriteNumber("directories", transfer.Directories);
        WriteList(writer, "leftOut", "reason", transfer.LeftOut);
        WriteList(writer, "notes", "text", transfer.Notes);
    });

    private static void WriteList(Utf8JsonWriter writer, string name, string member, List<(byte[] Path, string Text)> list)
    {
        writer.WriteStartArray(name);
        foreach ((byte[] path, string text) in list)
        {
            writer.WriteStartObject();
            writer.WriteString("path", TreePath.Text(path));
            writer.WriteString(member, text);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
