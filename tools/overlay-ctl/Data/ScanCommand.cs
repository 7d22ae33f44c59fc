using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Text.Json;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>overlay-ctl scan: what is not sealed in a volume. Needs no key.</summary>
internal static class ScanCommand
{
    internal static Command Make()
    {
        Argument<string?> volume = new("VOLUME") { Description = "The volume (default: the one of the current directory).", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> plaintext = new("--plaintext") { Description = "Name the files that are not sealed (the one thing there is to scan for)." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("scan", "Find plaintext in a volume. Looks at headers without a key: 'verify' proves them.") { volume, plaintext, json };
        command.SetAction(parsed =>
        {
            string given = parsed.GetValue(volume) ?? Directory.GetCurrentDirectory();
            (string root, _) = VolumeTree.Locate(given);
            PlaintextScan scan = new(root);
            using (new ProgressBar(isWanted: true, () => (scan.Looked, 0)))
                scan.Run();
            if (parsed.GetValue(json))
                PrintJson(scan, root);
            else
                Print(scan);
            return scan.ExitCode;
        });
        return command;
    }

    private static void Print(PlaintextScan scan)
    {
        foreach ((byte[] path, long size) in scan.Plain)
            Console.WriteLine($"{TreePath.Show(path)}: not sealed: {size} bytes of plaintext. Remedy: 'overlay-ctl import' seals it in place.");
        foreach (byte[] path in scan.Foreign)
            Console.WriteLine($"{TreePath.Show(path)}: a sealed file of another volume.");
        foreach (byte[] path in scan.Unsound)
            Console.WriteLine($"{TreePath.Show(path)}: begins as a sealed file, but its header makes no sense: see 'overlay-ctl verify'.");
        foreach ((byte[] path, string reason) in scan.Unchecked)
            Console.WriteLine($"{TreePath.Show(path)}: not looked at: {reason}.");
        Console.WriteLine($"{scan.Sealed} files sealed, {scan.Plain.Count} not sealed, {scan.Foreign.Count + scan.Unsound.Count} of neither kind, {scan.Unchecked.Count} not looked at");
    }

    private static void PrintJson(PlaintextScan scan, string root) => Json.Print(writer =>
    {
        writer.WriteString("volume", root);
        writer.WriteNumber("sealed", scan.Sealed);
        writer.WriteStartArray("plain");
        foreach ((byte[] path, long size) in scan.Plain)
        {
            writer.WriteStartObject();
            writer.WriteString("path", TreePath.Text(path));
            writer.WriteNumber("size", size);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        WritePaths(writer, "foreign", scan.Foreign);
        WritePaths(writer, "unsound", scan.Unsound);
        writer.WriteStartArray("unchecked");
        foreach ((byte[] path, string reason) in scan.Unchecked)
        {
            writer.WriteStartObject();
            writer.WriteString("path", TreePath.Text(path));
            writer.WriteString("reason", reason);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });

    private static void WritePaths(Utf8JsonWriter writer, string name, List<byte[]> paths)
    {
        writer.WriteStartArray(name);
        foreach (byte[] path in paths)
            writer.WriteStringValue(TreePath.Text(path));
        writer.WriteEndArray();
    }
}
