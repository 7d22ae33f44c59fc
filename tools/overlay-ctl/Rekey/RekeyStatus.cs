using System;
using System.Collections.Generic;
using System.Globalization;
using Overlay.Ctl.Data;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Rekey;

/// <summary>overlay-ctl rekey --status: what is under way, or was left unfinished. Needs no key.</summary>
internal static class RekeyStatus
{
    internal static int Run(string root, bool isJson)
    {
        using MetadataStore store = VolumeUnlocker.OpenStore(root);
        List<NextKey> files = NextKeyTable.ReadAll(store.Connection);
        Dictionary<string, DateTimeOffset> jobs = RekeyJobs.ReadAll(store.Connection);
        if (isJson)
            PrintJson(files, jobs);
        else
            Print(files, jobs);
        return files.Count + jobs.Count > 0 ? ExitCodes.Due : ExitCodes.Ok;
    }

    private static void Print(List<NextKey> files, Dictionary<string, DateTimeOffset> jobs)
    {
        foreach ((string paths, DateTimeOffset started) in jobs)
            Console.WriteLine($"unfinished since {started.ToLocalTime():yyyy-MM-dd HH:mm}: rekey {FindingText.Escape(paths.Replace('\n', ' '))}");
        foreach (NextKey file in files)
            Console.WriteLine($"{FindingText.Escape(file.Path)}: {Progress(file)}, since {file.Created.ToLocalTime():yyyy-MM-dd HH:mm}");
        Console.WriteLine($"{files.Count} files have two keys");
    }

    private static string Progress(NextKey file) => file.Size == 0
        ? "begun"
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(100, 100 * file.Done / file.Size)}% of {Terminal.Progress.Size(file.Size)}");

    private static void PrintJson(List<NextKey> files, Dictionary<string, DateTimeOffset> jobs) => Json.Print(writer =>
    {
        writer.WriteStartArray("jobs");
        foreach ((string paths, DateTimeOffset started) in jobs)
        {
            writer.WriteStartObject();
            writer.WriteString("paths", paths);
            writer.WriteString("started", Age.Exact(started));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("files");
        foreach (NextKey file in files)
        {
            writer.WriteStartObject();
            writer.WriteString("path", file.Path);
            writer.WriteString("fileId", Convert.ToHexStringLower(file.FileId));
            writer.WriteString("since", Age.Exact(file.Created));
            writer.WriteNumber("done", file.Done);
            writer.WriteNumber("size", file.Size);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
