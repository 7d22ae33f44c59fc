using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;

namespace Overlay.Ctl.Verify;

/// <summary>What was found, for people and for programs.</summary>
internal static class VerifyReport
{
    internal static int ExitCode(IReadOnlyList<Finding> findings) =>
        findings.Any(finding => finding.Weight == Weight.Finding) ? ExitCodes.Damaged :
        findings.Any(finding => finding.Weight == Weight.Unchecked) ? ExitCodes.Unchecked : ExitCodes.Ok;

    internal static void Print(VerifyRun run, IReadOnlyList<Finding> findings, bool isQuiet)
    {
        foreach (Finding finding in findings)
            if (!isQuiet || finding.Weight != Weight.Note)
                Console.WriteLine(Line(finding));
        if (isQuiet)
            return;
        int Count(Weight weight) => findings.Count(finding => finding.Weight == weight);
        Console.WriteLine($"{run.Files} files, {run.Blocks} blocks, {run.PlainBytes} bytes ({run.StoredBytes} stored): " +
            $"{Count(Weight.Finding)} findings, {Count(Weight.Unchecked)} not checked, {Count(Weight.Note)} notes");
    }

    internal static void PrintJson(VerifyRun run, IReadOnlyList<Finding> findings, string root) => Json.Print(writer =>
    {
        writer.WriteString("volume", root);
        writer.WriteString("result", ExitCode(findings) switch { ExitCodes.Ok => "clean", ExitCodes.Damaged => "findings", _ => "unchecked" });
        writer.WriteNumber("files", run.Files);
        writer.WriteNumber("damagedFiles", run.DamagedFiles);
        writer.WriteNumber("blocks", run.Blocks);
        writer.WriteNumber("plainBytes", run.PlainBytes);
        writer.WriteNumber("storedBytes", run.StoredBytes);
        writer.WriteNumber("staleBytes", run.StaleBytes);
        WriteArray(writer, "findings", findings, Weight.Finding);
        WriteArray(writer, "unchecked", findings, Weight.Unchecked);
        WriteArray(writer, "notes", findings, Weight.Note);
    });

    private static string Line(Finding finding)
    {
        StringBuilder line = new();
        line.Append(finding.Path.Length > 0 ? FindingText.Escape(finding.Path) : "(volume)").Append(": ").Append(finding.Kind.Name).Append(": ").Append(finding.Cause);
        if (finding.Length >= 0)
            line.Append($" (bytes {finding.Offset} to {finding.Offset + finding.Length - 1}; stored at {finding.StoredOffset})");
        return line.Append(". Remedy: ").Append(finding.Kind.Remedy).Append('.').ToString();
    }

    private static void WriteArray(Utf8JsonWriter writer, string name, IReadOnlyList<Finding> findings, Weight weight)
    {
        writer.WriteStartArray(name);
        foreach (Finding finding in findings.Where(finding => finding.Weight == weight))
        {
            writer.WriteStartObject();
            writer.WriteString("path", finding.Path);
            writer.WriteString("kind", finding.Kind.Name);
            writer.WriteString("cause", finding.Cause);
            WriteNumber(writer, "block", finding.Block);
            WriteNumber(writer, "offset", finding.Offset);
            WriteNumber(writer, "length", finding.Length);
            WriteNumber(writer, "storedOffset", finding.StoredOffset);
            writer.WriteString("remedy", finding.Kind.Remedy);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, long value)
    {
        if (value >= 0)
            writer.WriteNumber(name, value);
    }
}
